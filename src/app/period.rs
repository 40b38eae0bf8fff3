//! `--since` and `--until`: a part of the past, as people name it. What is typed becomes points of the wall clock here; a
//! time of day and a length of time are counted from now, in this machine's time zone.

use clap::Args;
use eyas_event::{AlertId, WallTime};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, Zoned};

use crate::fail::Fail;

/// What is wanted of the past.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Period {
    /// Only from then on: 2026-01-31T08:00:00Z, 08:00 (today), or 15m (ago).
    #[arg(long, value_name = "TIME", value_parser = point)]
    since: Option<WallTime>,

    /// Only before then; written as for --since.
    #[arg(long, value_name = "TIME", value_parser = point)]
    until: Option<WallTime>,
}

impl Period {
    /// Refuses a period that ends before it begins.
    pub(crate) fn check(&self) -> Result<(), Fail> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => Err(Fail::environment(
                "nothing lies between --since and --until: the end is not after the begin",
            )),
            _ => Ok(()),
        }
    }

    /// Whether a moment lies in it.
    pub(crate) fn holds(&self, at: WallTime) -> bool {
        self.since.is_none_or(|since| at >= since) && !self.is_over(at)
    }

    /// Whether a moment lies behind it.
    pub(crate) fn is_over(&self, at: WallTime) -> bool {
        self.until.is_some_and(|until| at >= until)
    }

    /// The last id before all alerts of the period.
    pub(crate) fn after_id(&self) -> AlertId {
        let first = self.since.map_or(0, |since| AlertId::new(since, 0).0);
        AlertId(first.saturating_sub(1))
    }

    /// The first id behind all alerts of the period.
    pub(crate) fn before_id(&self) -> Option<AlertId> {
        // Ids count microseconds: the one in which the period ends may still hold alerts of it.
        self.until.map(|until| AlertId::new(WallTime(until.0.saturating_add(1_000)), 0))
    }
}

/// A point in time as it was typed.
fn point(text: &str) -> Result<WallTime, String> {
    read(text, &Zoned::now())
}

fn read(text: &str, now: &Zoned) -> Result<WallTime, String> {
    let text = text.trim();
    let local = |at: DateTime| at.to_zoned(now.time_zone().clone()).ok().map(|z| z.timestamp());
    let length = || text.strip_suffix("ago").unwrap_or(text).trim().parse::<Span>().ok();
    let at = if let Ok(at) = text.parse::<Timestamp>() {
        Some(at)
    } else if let Some(time) = text.parse::<Time>().ok().filter(|_| text.contains(':') && !text.contains('-'))
    {
        local(now.date().to_datetime(time))
    } else if let Ok(at) = text.parse::<DateTime>() {
        local(at)
    } else if let Ok(date) = text.parse::<Date>() {
        local(date.to_datetime(Time::midnight()))
    } else {
        length()
            .filter(|span| !span.is_negative())
            .and_then(|span| Some(now.checked_sub(span).ok()?.timestamp()))
    };
    let at = at.ok_or(
        "write 2026-01-31T08:00:00Z, a time of today such as 08:00 or 08:00:30, or how long ago: 30s, 15m, 2h, 1d",
    )?;
    // Nanoseconds since 1970 in 64 bits.
    u64::try_from(at.as_nanosecond())
        .map(WallTime)
        .map_err(|_| "only the years 1970 to 2553 are known here".into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn points_in_time_are_read_as_people_write_them() {
        let now: Zoned = "2026-03-10T12:00:00+01:00[+01:00]".parse().unwrap();
        for (text, is) in [
            ("2026-03-10T08:00:00Z", "2026-03-10T08:00:00Z"),
            ("2026-03-10T08:00:00+01:00", "2026-03-10T07:00:00Z"),
            ("2026-03-10T08:00", "2026-03-10T07:00:00Z"),
            ("2026-03-09", "2026-03-08T23:00:00Z"),
            ("08:15", "2026-03-10T07:15:00Z"),
            ("08:15:30", "2026-03-10T07:15:30Z"),
            ("30s", "2026-03-10T10:59:30Z"),
            ("15m", "2026-03-10T10:45:00Z"),
            ("2h", "2026-03-10T09:00:00Z"),
            ("1h 30m ago", "2026-03-10T09:30:00Z"),
            ("1d", "2026-03-09T11:00:00Z"),
        ] {
            let at: Timestamp = is.parse().unwrap();
            assert_eq!(read(text, &now).map(|t| i128::from(t.0)), Ok(at.as_nanosecond()), "{text}");
        }
        for text in ["", "yesterday", "15", "25:00", "-5m", "1900-01-01T00:00:00Z", "ago"] {
            assert!(read(text, &now).is_err(), "{text}");
        }
        assert!(read("2553-12-31", &now).is_ok());
        assert!(read("2999-01-01", &now).is_err_and(|why| why.contains("2553")));
    }

    #[test]
    fn a_period_holds_its_begin_and_not_its_end() {
        let period = Period { since: Some(WallTime(5_000_000)), until: Some(WallTime(9_000_000)) };
        assert!(period.holds(WallTime(5_000_000)) && !period.holds(WallTime(4_999_999)));
        assert!(period.holds(WallTime(8_999_999)) && !period.holds(WallTime(9_000_000)));
        assert!(AlertId::new(WallTime(5_000_000), 0) > period.after_id());
        assert!(AlertId::new(WallTime(4_999_999), 0xfff) <= period.after_id());
        assert!(AlertId::new(WallTime(8_999_999), 0xfff) < period.before_id().unwrap());
        assert!(Period { since: Some(WallTime(9)), until: Some(WallTime(9)) }.check().is_err());
    }
}
