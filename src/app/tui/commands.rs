//! The one table of commands: a name, a sentence, default keys, where they work, and the [`Action`] behind. Help, the key
//! bar, the palette and `docs/keys.md` are read off this table, so none of them can promise what does not work.

use std::fmt::Write as _;

use crossterm::event::KeyCode::{
    self, BackTab, Backspace, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab, Up,
};
use crossterm::event::{KeyEvent, KeyModifiers};

/// What a command does; `update` gives each its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    Left,
    Right,
    Open,
    Back,
    NextPane,
    Zoom,
    NextSection,
    PrevSection,
    Pause,
    Follow,
    NextUrgent,
    PrevUrgent,
    Search,
    SearchNext,
    SearchPrev,
    Filter,
    ClearFilter,
    Include,
    Exclude,
    Bars,
    Widen,
    Narrow,
    Density,
    Help,
    Palette,
    Themes,
    Theme(usize),
    Hooks,
    Losses,
    Reload,
    SelfTest,
    TestAll,
    TestOne,
    TestStop,
    TestClose,
    Repaint,
    Quit,
    QuitNow,
    Panic,
    Accept,
    Cancel,
    Older,
    Newer,
    Complete,
    CompleteBack,
}

/// A key as the table names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    code: KeyCode,
    ctrl: bool,
}

impl Key {
    const fn ch(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: false }
    }

    const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true }
    }

    const fn on(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    /// The key of a key press; shift is in the character already.
    pub(super) fn of(event: KeyEvent) -> Self {
        Self { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// As people write it.
    pub(super) fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            Up => "↑".to_owned(),
            Down => "↓".to_owned(),
            Left => "←".to_owned(),
            Right => "→".to_owned(),
            PageUp => "PgUp".to_owned(),
            PageDown => "PgDn".to_owned(),
            Esc => "Esc".to_owned(),
            BackTab => "Shift-Tab".to_owned(),
            F(n) => format!("F{n}"),
            other => format!("{other:?}"),
        };
        if self.ctrl { format!("ctrl-{name}") } else { name }
    }
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Place {
    /// The list of alerts.
    List = 1,
    /// The pane with one alert's details.
    Detail = 1 << 1,
    /// The help.
    Help = 1 << 2,
    /// The palette.
    Palette = 1 << 3,
    /// The search prompt.
    Search = 1 << 4,
    /// The filter bar.
    Filter = 1 << 5,
    /// A sheet of text: the hooks, the rules' diagnostics.
    Sheet = 1 << 6,
    /// The self-test.
    SelfTest = 1 << 7,
}

impl Place {
    pub(super) const ALL: [Self; 8] = [
        Self::List,
        Self::Detail,
        Self::Help,
        Self::Palette,
        Self::Search,
        Self::Filter,
        Self::Sheet,
        Self::SelfTest,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::List => "Alert list",
            Self::Detail => "Detail pane",
            Self::Help => "Help",
            Self::Palette => "Command palette",
            Self::Search => "Search prompt",
            Self::Filter => "Filter bar",
            Self::Sheet => "Sheets (hooks, rule diagnostics)",
            Self::SelfTest => "Self-test",
        }
    }
}

/// A set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places(u8);

impl Places {
    pub(super) fn has(self, place: Place) -> bool {
        self.0 & place as u8 != 0
    }
}

const LIST: Places = Places(1);
const DETAIL: Places = Places(2);
const MAIN: Places = Places(1 | 2);
const SHEET: Places = Places(64);
const TEST: Places = Places(128);
const READ: Places = Places(1 | 2 | 64 | 128);
const PROMPT: Places = Places(16 | 32);
const ENTER: Places = Places(8 | 16 | 32);
const CHOOSE: Places = Places(4 | 8);
const FILTER: Places = Places(32);
const LAYER: Places = Places(4 | 8 | 16 | 32 | 64 | 128);
const EVERY: Places = Places(255);

/// One row of the table.
#[derive(Debug)]
pub(super) struct Command {
    /// Name, for the palette.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) says: &'static str,
    /// Default keys.
    pub(super) keys: &'static [Key],
    /// Where they work.
    pub(super) places: Places,
    /// What happens.
    pub(super) action: Action,
    /// A word for the key bar; empty for those that are not in it.
    pub(super) bar: &'static str,
    /// Whether help, palette and document show it.
    pub(super) shown: bool,
}

const fn row(
    name: &'static str,
    says: &'static str,
    keys: &'static [Key],
    places: Places,
    action: Action,
    bar: &'static str,
) -> Command {
    Command { name, says, keys, places, action, bar, shown: true }
}

/// Every command. The order is the order of the key bar and of the help.
pub(super) const COMMANDS: &[Command] = &[
    row("open", "Show everything about the chosen alert.", &[Key::on(Enter)], LIST, Action::Open, "open"),
    row("close details", "Close the details.", &[Key::ch('q')], DETAIL, Action::Back, "close"),
    row(
        "zoom details",
        "Give the details the whole screen, or give it back.",
        &[Key::ch('Z')],
        DETAIL,
        Action::Zoom,
        "zoom",
    ),
    row(
        "filter",
        "Show only alerts that meet a condition.",
        &[Key::ch('f'), Key::on(F(4))],
        MAIN,
        Action::Filter,
        "filter",
    ),
    row(
        "search",
        "Find text in the alerts that are loaded.",
        &[Key::ch('/')],
        MAIN,
        Action::Search,
        "search",
    ),
    row(
        "pause",
        "Hold the screen still, or let it go on; what fires meanwhile is counted.",
        &[Key::ch('p')],
        MAIN,
        Action::Pause,
        "pause",
    ),
    row(
        "include value",
        "Add the value under the cursor to the filter; on a process, the process with all that it started.",
        &[Key::ch('i')],
        MAIN,
        Action::Include,
        "include",
    ),
    row(
        "exclude value",
        "Take the value under the cursor out of what is shown; on a process, all that it started, too.",
        &[Key::ch('x')],
        MAIN,
        Action::Exclude,
        "exclude",
    ),
    row("help", "Show and search all commands.", &[Key::ch('?'), Key::on(F(1))], READ, Action::Help, "help"),
    row(
        "quit",
        "Leave the console; asks once while this console's sensor watches.",
        &[Key::ch('q')],
        LIST,
        Action::Quit,
        "quit",
    ),
    row(
        "palette",
        "Find a command by name and run it.",
        &[Key::ch(':'), Key::on(F(2))],
        READ,
        Action::Palette,
        "commands",
    ),
    row(
        "back",
        "Climb out: close the details, then end the search, then lift the filter.",
        &[Key::on(Esc), Key::on(Backspace)],
        MAIN,
        Action::Back,
        "",
    ),
    row("clear filter", "Show all alerts again.", &[], MAIN, Action::ClearFilter, ""),
    row(
        "next match",
        "Go to the next alert that the search finds.",
        &[Key::ch('n')],
        MAIN,
        Action::SearchNext,
        "",
    ),
    row("previous match", "Go to the one before.", &[Key::ch('N')], MAIN, Action::SearchPrev, ""),
    row(
        "follow",
        "Go to the newest alert and stay with the newest.",
        &[Key::ch('F')],
        MAIN,
        Action::Follow,
        "",
    ),
    row("next pane", "Switch between list and details.", &[Key::on(Tab)], MAIN, Action::NextPane, ""),
    row("down", "Next row or line.", &[Key::ch('j'), Key::on(Down)], READ, Action::Down, ""),
    row("up", "Previous row or line.", &[Key::ch('k'), Key::on(Up)], READ, Action::Up, ""),
    row(
        "page down",
        "A page on.",
        &[Key::on(PageDown), Key::ctrl('f'), Key::ch(' ')],
        READ,
        Action::PageDown,
        "",
    ),
    row(
        "page up",
        "A page back.",
        &[Key::on(PageUp), Key::ctrl('b'), Key::ch('b')],
        READ,
        Action::PageUp,
        "",
    ),
    row("half page down", "Half a page on.", &[Key::ctrl('d')], READ, Action::HalfDown, ""),
    row("half page up", "Half a page back.", &[Key::ctrl('u')], READ, Action::HalfUp, ""),
    row("top", "The first row or line.", &[Key::ch('g'), Key::on(Home)], READ, Action::Top, ""),
    row(
        "bottom",
        "The last row or line; in the list, follow again.",
        &[Key::ch('G'), Key::on(End)],
        READ,
        Action::Bottom,
        "",
    ),
    row(
        "column left",
        "Put the cursor on the column to the left.",
        &[Key::ch('h'), Key::on(Left)],
        LIST,
        Action::Left,
        "",
    ),
    row(
        "column right",
        "Put the cursor on the column to the right.",
        &[Key::ch('l'), Key::on(Right)],
        LIST,
        Action::Right,
        "",
    ),
    row(
        "next section",
        "The next section of the details.",
        &[Key::ch(']'), Key::ch('l'), Key::on(Right)],
        DETAIL,
        Action::NextSection,
        "section",
    ),
    row(
        "previous section",
        "The section before.",
        &[Key::ch('['), Key::ch('h'), Key::on(Left)],
        DETAIL,
        Action::PrevSection,
        "",
    ),
    row(
        "next urgent",
        "The next alert of severity error or worse.",
        &[Key::ch('e')],
        MAIN,
        Action::NextUrgent,
        "",
    ),
    row("previous urgent", "The one before.", &[Key::ch('E')], MAIN, Action::PrevUrgent, ""),
    row("bars", "Show or hide the bars of alerts over time.", &[Key::ch('B')], MAIN, Action::Bars, ""),
    row("wider time", "Let the bars span more time.", &[Key::ch('-')], MAIN, Action::Widen, ""),
    row(
        "narrower time",
        "Let the bars span less time.",
        &[Key::ch('+'), Key::ch('=')],
        MAIN,
        Action::Narrow,
        "",
    ),
    row(
        "density",
        "One line an alert, or two with the command line.",
        &[Key::ch('D')],
        MAIN,
        Action::Density,
        "",
    ),
    row(
        "hooks",
        "Show the sensor's hooks and why one is off, and what the store did not take.",
        &[Key::ch('S')],
        MAIN,
        Action::Hooks,
        "",
    ),
    row(
        "losses",
        "List what was lost: when, what, how much and why.",
        &[Key::ch('L')],
        MAIN,
        Action::Losses,
        "",
    ),
    row(
        "rules",
        "Show what the last load of the rules had to say.",
        &[Key::ch('R')],
        MAIN,
        Action::Reload,
        "",
    ),
    row(
        "self-test",
        "Play harmless attacks, and see whether the rules tell of them.",
        &[Key::ch('t')],
        MAIN,
        Action::SelfTest,
        "",
    ),
    row("play all", "Play every action, one after the other.", &[Key::ch('a')], TEST, Action::TestAll, "all"),
    row("play", "Play the chosen action.", &[Key::on(Enter)], TEST, Action::TestOne, "play"),
    row(
        "stop",
        "End the action that plays, and play no more.",
        &[Key::ch('s')],
        TEST,
        Action::TestStop,
        "stop",
    ),
    row(
        "close self-test",
        "Close it; what plays goes on.",
        &[Key::ch('q')],
        TEST,
        Action::TestClose,
        "close",
    ),
    row("theme", "Choose a theme in the palette.", &[Key::ch('T')], MAIN, Action::Themes, ""),
    row("repaint", "Paint the screen anew.", &[Key::ctrl('l')], EVERY, Action::Repaint, ""),
    row("quit from anywhere", "Leave the console at once.", &[Key::ctrl('c')], EVERY, Action::QuitNow, ""),
    row("close sheet", "Close it.", &[Key::on(Enter), Key::ch('q')], SHEET, Action::Cancel, ""),
    row("accept", "Take what was typed or chosen.", &[Key::on(Enter)], ENTER, Action::Accept, "take"),
    row("cancel", "Close without taking it.", &[Key::on(Esc)], LAYER, Action::Cancel, "close"),
    row(
        "complete",
        "Complete the field's name; again, take the next that begins so.",
        &[Key::on(Tab)],
        FILTER,
        Action::Complete,
        "complete",
    ),
    row("complete back", "Take the one before.", &[Key::on(BackTab)], FILTER, Action::CompleteBack, ""),
    row("older entry", "What was typed before.", &[Key::on(Up)], PROMPT, Action::Older, "history"),
    row("newer entry", "What was typed after it.", &[Key::on(Down)], PROMPT, Action::Newer, ""),
    row("choose down", "The next one.", &[Key::on(Down), Key::ctrl('n')], CHOOSE, Action::Down, "next"),
    row("choose up", "The one before.", &[Key::on(Up), Key::ctrl('p')], CHOOSE, Action::Up, ""),
    row("choose page down", "A page on.", &[Key::on(PageDown)], CHOOSE, Action::PageDown, ""),
    row("choose page up", "A page back.", &[Key::on(PageUp)], CHOOSE, Action::PageUp, ""),
    Command {
        name: "debug panic",
        says: "Panic, to see that the terminal is restored.",
        keys: &[],
        places: MAIN,
        action: Action::Panic,
        bar: "",
        shown: false,
    },
];

/// The command that a key means in a place.
pub(super) fn lookup(place: Place, key: Key) -> Option<Action> {
    COMMANDS.iter().find(|c| c.places.has(place) && c.keys.contains(&key)).map(|c| c.action)
}

/// The keys of a command, as people write them.
pub(super) fn key_names(command: &Command) -> String {
    command.keys.iter().map(|k| k.name()).collect::<Vec<_>>().join(" ")
}

/// The text of `docs/keys.md`: every command by place.
pub fn keys_document() -> String {
    let mut out = String::from(
        "# Keys\n\nThe console's commands, written by the same table that runs them: do not edit this file, run the \
         tests with\n`EYAS_BLESS=1`. `?` shows the same inside the console, `:` runs any of them by name, also those without a key.\n",
    );
    for place in Place::ALL {
        let _ = write!(out, "\n## {}\n\n| keys | command | |\n|---|---|---|\n", place.title());
        for command in COMMANDS.iter().filter(|c| c.shown && c.places.has(place)) {
            let keys: Vec<_> = command.keys.iter().map(|k| format!("`{}`", k.name())).collect();
            let keys = if keys.is_empty() { vec!["–".to_owned()] } else { keys };
            let _ = writeln!(out, "| {} | {} | {} |", keys.join(" "), command.name, command.says);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let mut seen: Vec<(Key, &str)> = Vec::new();
            for command in COMMANDS.iter().filter(|c| c.places.has(place)) {
                for key in command.keys {
                    if let Some((_, other)) = seen.iter().find(|(k, _)| k == key) {
                        panic!("{place:?}: {} is `{other}` and `{}`", key.name(), command.name);
                    }
                    seen.push((*key, command.name));
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_every_shown_command_says_what_it_does() {
        for (i, command) in COMMANDS.iter().enumerate() {
            assert!(command.says.ends_with('.'), "{}", command.name);
            assert!(COMMANDS[..i].iter().all(|c| c.name != command.name), "{}", command.name);
        }
    }

    #[test]
    fn prompts_leave_letters_to_the_typist() {
        for place in [Place::Help, Place::Palette, Place::Search, Place::Filter] {
            for command in COMMANDS.iter().filter(|c| c.places.has(place)) {
                for key in command.keys {
                    assert!(key.ctrl || !matches!(key.code, KeyCode::Char(_)), "{place:?}: {}", command.name);
                }
            }
        }
    }

    #[test]
    fn the_document_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/keys.md");
        let wanted = keys_document();
        if std::env::var_os("EYAS_BLESS").is_some() {
            std::fs::write(path, &wanted).expect("docs/keys.md can be written");
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == wanted, "docs/keys.md is stale: run the tests of eyas-app with EYAS_BLESS=1");
    }
}
