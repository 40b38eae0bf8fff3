//! `draw`: paints a state and changes nothing. All text goes through [`Pen::put`], which neutralises it and keeps it inside
//! its place; the files of the folder each paint a part of the screen.

mod bars;
mod detail;
mod header;
mod list;
mod prompt;
mod self_test;
mod sheet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub(super) use sheet::sheet_lines;

use super::overlay::Layer;
use super::show;
use super::state::{Ctx, State};
use super::theme::{Role, Theme};

/// Paints everything.
pub(super) fn draw(state: &State, ctx: &Ctx, theme: &Theme, buf: &mut Buffer) {
    let layout = state.layout();
    let mut pen = Pen { buf, theme };
    let whole = pen.buf.area;
    pen.clear(whole, Role::Background);
    header::draw(state, ctx, layout.header, &mut pen);
    bars::draw(state, ctx, layout.bars, &mut pen);
    list::draw(state, ctx, &layout, &mut pen);
    detail::draw(state, ctx, &layout, &mut pen);
    match state.layers.last() {
        Some(Layer::Filter(bar)) => prompt::filter(bar, layout.filter, &mut pen),
        Some(Layer::Help(chooser)) => sheet::help(chooser, &layout, &mut pen),
        Some(Layer::Palette(chooser)) => sheet::palette(state, ctx, chooser, &layout, &mut pen),
        Some(Layer::Sheet(sheet, top)) => sheet::sheet(state, ctx, *sheet, *top, &layout, &mut pen),
        Some(Layer::SelfTest) => self_test::draw(&state.self_test, &layout, &mut pen),
        Some(Layer::Search(_)) | None => {}
    }
    match state.layers.last() {
        Some(Layer::Search(search)) => prompt::search(search, state.focus, layout.bar, &mut pen),
        _ => header::key_bar(state, layout.bar, &mut pen),
    }
}

/// Pieces of text and what they are painted as.
type Parts = Vec<(Role, String)>;

/// What paints.
pub(super) struct Pen<'p> {
    pub(super) buf: &'p mut Buffer,
    pub(super) theme: &'p Theme,
}

impl Pen<'_> {
    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Empties a part of the screen.
    fn clear(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buf.area);
        let style = self.style(role);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buf[(x, y)].reset();
                self.buf[(x, y)].set_style(style);
            }
        }
    }

    /// Lays a style over a part of the screen.
    fn shade(&mut self, area: Rect, role: Role) {
        let style = self.style(role);
        self.buf.set_style(area.intersection(self.buf.area), style);
    }

    /// Writes text from `x` in at most `columns` columns; returns how many it took.
    fn put(&mut self, x: u16, y: u16, columns: usize, text: &str, role: Role) -> usize {
        let style = self.style(role);
        self.put_styled(x, y, columns, text, style)
    }

    fn put_styled(&mut self, x: u16, y: u16, columns: usize, text: &str, style: Style) -> usize {
        let area = self.buf.area;
        if x >= area.right() || y >= area.bottom() {
            return 0;
        }
        let columns = columns.min(usize::from(area.right() - x));
        let text = show::fit(&show::clean(text), columns);
        let (end, _) = self.buf.set_stringn(x, y, &text, columns, style);
        usize::from(end - x)
    }

    /// Writes pieces one after the other.
    fn parts(&mut self, x: u16, y: u16, columns: usize, parts: &[(Role, String)]) -> usize {
        let mut used = 0;
        for (role, text) in parts {
            if used >= columns {
                break;
            }
            used += self.put(x + used as u16, y, columns - used, text, *role);
        }
        used
    }

    /// Writes pieces so that they end at the right edge of `area`'s first line.
    fn right(&mut self, area: Rect, parts: &[(Role, String)]) {
        let width: usize = parts.iter().map(|(_, t)| show::width(&show::clean(t))).sum();
        let width = width.min(usize::from(area.width));
        self.parts(area.right() - width as u16, area.y, width, parts);
    }

    /// A pane's title on a line across it, and at its right the first aside that fits.
    fn title(&mut self, area: Rect, focus: bool, name: &str, asides: &[Parts]) {
        if area.height == 0 || area.width == 0 {
            return;
        }
        let (line, title, stroke) =
            if focus { (Role::LineFocus, Role::TitleFocus, "━") } else { (Role::Line, Role::Title, "─") };
        let width = usize::from(area.width);
        self.put(area.x, area.y, width, &stroke.repeat(width), line);
        let used = self.put(area.x + 1, area.y, width.saturating_sub(2), &format!(" {name} "), title);
        let size = |parts: &Parts| parts.iter().map(|(_, t)| show::width(&show::clean(t))).sum::<usize>();
        if let Some(aside) = asides.iter().find(|a| !a.is_empty() && used + size(a) + 5 <= width) {
            let mut padded = vec![(Role::Text, " ".to_owned())];
            padded.extend(aside.iter().cloned());
            padded.push((Role::Text, " ".to_owned()));
            self.right(Rect { width: area.width - 1, ..area }, &padded);
        }
    }
}
