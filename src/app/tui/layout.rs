//! Where everything stands on a screen of some size: a pure function of size and state, which drawing and updating share
//! (a page is as long as the list is high). Every size is legal, 1×1 included.

use ratatui::layout::{Rect, Size};

use super::overlay::Layer;
use super::state::{Pane, State};

/// The parts of the screen. A part for which there is no room is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// One or two lines at the top.
    pub(super) header: Rect,
    /// The filter bar, when it is open.
    pub(super) filter: Rect,
    /// Alerts over time.
    pub(super) bars: Rect,
    /// The list with its title and headings.
    pub(super) list: Rect,
    /// The details with their title.
    pub(super) detail: Rect,
    /// Whether the details stand beside the list rather than below.
    pub(super) beside: bool,
    /// The last line.
    pub(super) bar: Rect,
    /// All between header and last line.
    pub(super) body: Rect,
}

/// From this width on, details stand beside the list.
const BESIDE_MIN: u16 = 120;

impl Layout {
    pub(super) fn of(size: Size, state: &State) -> Self {
        let mut rest = Rect::new(0, 0, size.width, size.height);
        let mut out = Self::default();
        if rest.height >= 4 {
            out.bar = bottom(&mut rest, 1);
        }
        if rest.height >= 3 {
            out.header = top(&mut rest, if size.height >= 16 { 2 } else { 1 });
        }
        out.body = rest;
        let detail = state.detail.is_some();
        if matches!(state.layers.last(), Some(Layer::Filter(_))) {
            let lines = if rest.height >= 9 { 3 } else { 2 };
            out.filter = top(&mut rest, lines);
        }
        let below = detail && size.width < BESIDE_MIN;
        let bars = match size.height {
            _ if !state.bars.wanted || state.zoomed && detail => 0,
            _ if below && size.height < 34 => 0,
            0..20 => 0,
            20..28 => 4,
            28..36 => 6,
            _ => 8,
        };
        out.bars = top(&mut rest, bars);
        if !detail {
            out.list = rest;
        } else if state.zoomed || rest.height < 12 && below || size.width < 24 {
            // Too small for two: whichever has the keys.
            if state.focus == Pane::Detail { out.detail = rest } else { out.list = rest }
        } else if below {
            let list = (rest.height * 2 / 5).clamp(6, 20);
            out.list = top(&mut rest, list);
            out.detail = rest;
        } else {
            out.beside = true;
            let width = (rest.width * 11 / 20).max(40);
            out.list = Rect { width, ..rest };
            out.detail = Rect { x: width, width: rest.width.saturating_sub(width), ..rest };
        }
        out
    }

    /// How many alerts the list shows at once.
    pub(super) fn list_rows(&self, lines_each: u16) -> usize {
        usize::from(self.list.height.saturating_sub(2) / lines_each.max(1)).max(1)
    }

    /// How many lines the details have below their title.
    pub(super) fn detail_lines(&self) -> usize {
        usize::from(self.detail.height.saturating_sub(1)).max(1)
    }

    /// How wide the text of the details is.
    pub(super) fn detail_width(&self) -> usize {
        usize::from(self.detail.width.saturating_sub(if self.beside { 3 } else { 2 }))
    }

    /// How many lines a sheet shows.
    pub(super) fn sheet_lines(&self) -> usize {
        usize::from(self.sheet().height.saturating_sub(2)).max(1)
    }

    /// The panel of help, palette and sheets: most of the body, in the middle.
    pub(super) fn sheet(&self) -> Rect {
        let body = self.body;
        let width = body.width.min(96).max(body.width.saturating_sub(24).min(110)).min(body.width);
        let height = if body.height > 20 { body.height - 4 } else { body.height };
        Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 3, width, height }
    }
}

fn top(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    let part = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    part
}

fn bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect { y: rest.y + rest.height, height, ..*rest }
}
