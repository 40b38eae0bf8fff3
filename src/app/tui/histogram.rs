//! The bars of alerts over time: which span they show, and how a column of counts becomes cells of stacked eighths. What
//! they show comes from the store; nothing is painted here.

use eyas_event::{Priority, WallTime};

use super::door::{Histogram, Ticket};

/// What the bars can span, in seconds.
const WINDOWS: [u64; 7] = [60, 300, 900, 3_600, 21_600, 86_400, 604_800];

const SECOND: u64 = 1_000_000_000;

/// Whether the bars span what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// As soon as it is known that there is a recording.
    Wanted,
    /// From here on, so many seconds.
    From(WallTime, u64),
    /// A person has chosen a window.
    Never,
}

/// A recording that has only begun is shown as if it were this long.
const FIT_MIN: u64 = 10;

/// The state of the bars.
#[derive(Clone, Debug)]
pub(super) struct Bars {
    /// Whether people want to see them.
    pub(super) wanted: bool,
    window: usize,
    /// A span from this begin to the present, in place of the window, until somebody chooses one.
    fit: Fit,
    /// What is shown until a newer answer comes.
    pub(super) data: Option<Histogram>,
    /// Whether something happened that the data does not have.
    pub(super) dirty: bool,
    /// When the last question was asked.
    pub(super) asked_ms: u64,
    /// The question under way.
    pub(super) ticket: Option<Ticket>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { wanted: true, window: 1, fit: Fit::Wanted, data: None, dirty: true, asked_ms: 0, ticket: None }
    }

    /// The span in seconds.
    pub(super) fn window_s(&self) -> u64 {
        match self.fit {
            Fit::From(_, seconds) => seconds,
            Fit::Wanted | Fit::Never => WINDOWS[self.window],
        }
    }

    /// Whether they span a recording from its begin.
    pub(super) fn is_fitted(&self) -> bool {
        matches!(self.fit, Fit::From(..))
    }

    /// Spans a recording from its begin to its present, unless somebody has chosen otherwise.
    pub(super) fn fit(&mut self, begin: WallTime, now: WallTime) {
        if self.fit != Fit::Never {
            let seconds = now.0.saturating_sub(begin.0).div_ceil(SECOND).max(FIT_MIN);
            self.fit = Fit::From(begin, seconds);
        }
    }

    /// Spans more (or less). Returns whether there is more.
    pub(super) fn zoom(&mut self, wider: bool) -> bool {
        let span = self.window_s();
        let to = if wider {
            WINDOWS.iter().position(|w| *w > span)
        } else {
            WINDOWS.iter().rposition(|w| *w < span)
        };
        let there = to.is_some();
        if let Some(to) = to {
            self.window = to;
            self.fit = Fit::Never;
            self.dirty = true;
        }
        there
    }

    /// Begin, end and number of the buckets that fill so many columns and end with the present. Where there is room a
    /// bucket is two columns wide: single alerts are easier to see.
    pub(super) fn span(&self, now: WallTime, columns: u16) -> (WallTime, WallTime, u16) {
        let buckets = if columns >= 60 { columns / 2 } else { columns.max(1) };
        if let Fit::From(begin, seconds) = self.fit {
            let width_ns = (seconds * SECOND / u64::from(buckets) + 1).max(1);
            return (begin, WallTime(begin.0 + width_ns * u64::from(buckets)), buckets);
        }
        // Buckets begin at multiples of their width, so that alerts do not hop between them as time goes on.
        let width_ns = self.window_s() * SECOND / u64::from(buckets);
        let to = (now.0 / width_ns + 1) * width_ns;
        (WallTime(to.saturating_sub(u64::from(buckets) * width_ns)), WallTime(to), buckets)
    }

    /// Counts an alert that has just fired, until the store's answer has it.
    pub(super) fn count(&mut self, at: WallTime, priority: Priority) {
        self.dirty = true;
        if let Some(data) = &mut self.data
            && let Some(bucket) = bucket_of(data, at)
        {
            data.buckets[bucket][priority as usize] += 1;
        }
    }
}

/// The bucket in which an instant lies.
pub(super) fn bucket_of(data: &Histogram, at: WallTime) -> Option<usize> {
    if at < data.from || at >= data.to || data.buckets.is_empty() {
        return None;
    }
    let share =
        u128::from(at.0 - data.from.0) * data.buckets.len() as u128 / u128::from(data.to.0 - data.from.0);
    Some(share as usize)
}

/// Where buckets begin on a line of `columns` columns: one column each at least, as wide as all fit.
pub(super) fn column_width(buckets: usize, columns: u16) -> u16 {
    (usize::from(columns) / buckets.max(1)).max(1) as u16
}

/// One cell of a bar: how many eighths of it belong to the lower severity, and what is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// 1 to 8.
    pub(super) eighths: u8,
    /// What fills them.
    pub(super) lower: Priority,
    /// What fills the rest, if anything.
    pub(super) upper: Option<Priority>,
}

/// The cells of one bar, from the ground up; the most severe stand lowest, where heights compare best. `max` is the
/// highest bar's total.
pub(super) fn stack(counts: [u32; 8], max: u32, rows: u16) -> Vec<Cell> {
    let units = u64::from(rows) * 8;
    let mut ends: Vec<(u64, Priority)> = Vec::new();
    let (mut sum, mut end) = (0_u64, 0_u64);
    for (priority, n) in Priority::ALL.into_iter().zip(counts) {
        if n == 0 || max == 0 {
            continue;
        }
        sum += u64::from(n);
        // Whatever is there is seen: at least an eighth each, as long as there is room.
        end = (sum * units / u64::from(max)).max(end + 1).min(units);
        ends.push((end, priority));
    }
    let mut cells = Vec::new();
    for row in 0..u64::from(rows) {
        let (begin, full) = (row * 8, row * 8 + 8);
        if begin >= end {
            break;
        }
        let mut shares: Vec<(u64, Priority)> = Vec::new();
        let mut from = begin;
        for (to, priority) in &ends {
            let to = (*to).min(full);
            if to > from {
                shares.push((to - from, *priority));
                from = to;
            }
        }
        let Some((first, lower)) = shares.first().copied() else { break };
        let cell = match shares.as_slice() {
            [_] => Cell { eighths: first as u8, lower, upper: None },
            // A cell shows two things: where the bar ends inside it, the ground is one of them.
            _ if from < full => {
                let largest = shares.iter().copied().reduce(|a, b| if b.0 > a.0 { b } else { a });
                Cell { eighths: (from - begin) as u8, lower: largest.map_or(lower, |l| l.1), upper: None }
            }
            _ => Cell { eighths: first as u8, lower, upper: shares.last().map(|s| s.1) },
        };
        cells.push(cell);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_end_with_the_present_and_fit() {
        let mut bars = Bars::new();
        let now = WallTime(1_000_003 * SECOND);
        for columns in [1, 7, 38, 80, 118, 300] {
            for _ in 0..WINDOWS.len() {
                let (from, to, n) = bars.span(now, columns);
                assert!(n <= columns.max(1) && to > now && from < now, "{columns} {n}");
                bars.zoom(true);
            }
            while bars.zoom(false) {}
        }
    }

    #[test]
    fn a_recording_is_spanned_from_its_begin_until_somebody_chooses() {
        let mut bars = Bars::new();
        let begin = WallTime(1_000_000 * SECOND);
        bars.fit(begin, WallTime(begin.0 + 23 * SECOND));
        let (from, to, n) = bars.span(WallTime(begin.0 + 23 * SECOND), 118);
        assert_eq!((from, bars.window_s(), n), (begin, 23, 59));
        assert!(to.0 > begin.0 + 23 * SECOND && to.0 < begin.0 + 24 * SECOND);
        assert!(bars.zoom(true) && bars.window_s() == 60 && !bars.is_fitted());
        bars.fit(begin, WallTime(begin.0 + 99 * SECOND));
        assert_eq!(bars.window_s(), 60);
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_and_the_severest_is_lowest() {
        let mut counts = [0; 8];
        counts[Priority::Critical as usize] = 4;
        counts[Priority::Notice as usize] = 12;
        let cells = stack(counts, 16, 2);
        assert_eq!(cells[0], Cell { eighths: 4, lower: Priority::Critical, upper: Some(Priority::Notice) });
        assert_eq!(cells[1], Cell { eighths: 8, lower: Priority::Notice, upper: None });
        assert_eq!(stack([0; 8], 16, 2), []);
    }

    #[test]
    fn a_single_alert_beside_a_thousand_is_seen() {
        let mut counts = [0; 8];
        counts[Priority::Warning as usize] = 1;
        assert_eq!(stack(counts, 1_000, 5).len(), 1);
    }
}
