//! Themes: a palette of named colours and a style for every role, read from TOML and reduced to what the terminal can
//! show. A role that a theme leaves out takes the style of the scope above it (`severity.critical` → `severity` →
//! `text`). Where no colours are wanted, only the attributes of a role's `mono` list (else of `mods`) remain.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What the terminal can show. The caller finds out (from `NO_COLOR`, `COLORTERM`, `TERM`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    /// 24 bits a colour.
    True,
    /// The 256 colours of xterm.
    Indexed,
    /// The terminal's own 16 colours.
    Ansi16,
    /// None: bold, reverse, underline only.
    None,
}

impl ColorDepth {
    /// Reads it off the three variables that terminals and people set. `NO_COLOR` counts when it is not empty.
    pub fn from_env(no_color: Option<&str>, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or("");
        if no_color.is_some_and(|v| !v.is_empty()) || term == "dumb" || term.starts_with("vt1") {
            Self::None
        } else if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed
        } else {
            Self::Ansi16
        }
    }
}

/// Why a theme could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// Not TOML, or not a theme's TOML.
    #[error("theme {name}: {why}")]
    Syntax {
        /// Which theme.
        name: String,
        /// Where and why, as the TOML reader says it.
        why: String,
    },
    /// A colour that is neither in the palette nor a colour.
    #[error(
        "theme {name}: role `{role}`: `{color}` is not in [palette], not `#rrggbb` and not one of the 16 names"
    )]
    Color {
        /// Which theme.
        name: String,
        /// Which role.
        role: String,
        /// The word that was found.
        color: String,
    },
    /// An attribute that does not exist.
    #[error("theme {name}: role `{role}`: `{word}` is none of bold, dim, italic, underline, reverse")]
    Attribute {
        /// Which theme.
        name: String,
        /// Which role.
        role: String,
        /// The word that was found.
        word: String,
    },
    /// A role that nothing is painted in.
    #[error("theme {name}: there is no role `{role}`; the roles are listed in themes/dark.toml")]
    Role {
        /// Which theme.
        name: String,
        /// The word that was found.
        role: String,
    },
    /// No theme of that name is built in.
    #[error(
        "no theme is called `{name}`; there are dark, light, high-contrast and ansi16, or give a file's path"
    )]
    Unknown {
        /// The word that was found.
        name: String,
    },
}

macro_rules! roles {
    ($($variant:ident $scope:literal)*) => {
        /// What something is painted as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Role { $($variant),* }

        impl Role {
            /// Every role with its scope.
            pub(super) const ALL: &[(Role, &str)] = &[$((Role::$variant, $scope)),*];
        }
    };
}

roles! {
    Background "background"
    Text "text"
    Strong "text.strong"
    Dim "text.dim"
    Accent "accent"
    Title "title"
    TitleFocus "title.focus"
    Line "line"
    LineFocus "line.focus"
    Brand "brand"
    Key "key"
    KeyBar "key.bar"
    Selection "selection"
    SelectionIdle "selection.idle"
    Cell "selection.cell"
    Match "match"
    Good "state.good"
    Warn "state.warn"
    Bad "state.bad"
    BadLoud "state.bad.loud"
    Live "mode.live"
    Paused "mode.paused"
    Replay "mode.replay"
    Field "field"
    Value "field.value"
    Problem "problem"
    Gap "gap"
    Panel "panel"
    Input "input"
    Cursor "input.cursor"
    Emergency "severity.emergency"
    Alert "severity.alert"
    Critical "severity.critical"
    Error "severity.error"
    Warning "severity.warning"
    Notice "severity.notice"
    Informational "severity.informational"
    Debug "severity.debug"
}

/// Scopes that only exist to be inherited from.
const PARENTS: &[&str] = &["severity", "state", "mode"];

/// A style for every role.
#[derive(Clone, Debug)]
pub struct Theme {
    name: String,
    depth: ColorDepth,
    styles: Vec<Style>,
}

/// The built-in themes: name and text.
const BUILT_IN: [(&str, &str); 4] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("ansi16", include_str!("../../../themes/ansi16.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, Entry>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Entry {
    Fg(String),
    Full(Full),
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    mods: Vec<String>,
    mono: Option<Vec<String>>,
}

impl Theme {
    /// The names of the built-in themes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in theme of that name.
    pub fn built_in(name: &str, depth: ColorDepth) -> Result<Self, ThemeError> {
        let (name, text) = BUILT_IN
            .iter()
            .find(|(n, _)| *n == name)
            .ok_or_else(|| ThemeError::Unknown { name: name.to_owned() })?;
        Self::parse(name, text, depth)
    }

    /// The theme for people who chose none.
    pub fn default_for(depth: ColorDepth) -> Result<Self, ThemeError> {
        Self::built_in(if depth == ColorDepth::Ansi16 { "ansi16" } else { "dark" }, depth)
    }

    /// Reads a theme; `name` is for the palette and for errors.
    pub fn parse(name: &str, text: &str, depth: ColorDepth) -> Result<Self, ThemeError> {
        let text: Text = toml::from_str(text)
            .map_err(|e| ThemeError::Syntax { name: name.to_owned(), why: e.to_string() })?;
        for role in text.roles.keys() {
            if !Role::ALL.iter().any(|(_, s)| s == role) && !PARENTS.contains(&role.as_str()) {
                return Err(ThemeError::Role { name: name.to_owned(), role: role.clone() });
            }
        }
        let styles = Role::ALL
            .iter()
            .map(|(_, scope)| {
                let (role, entry) = lookup(&text.roles, scope);
                style(name, role, &entry, &text.palette, depth)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), depth, styles })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The depth it was reduced to.
    pub(super) fn depth(&self) -> ColorDepth {
        self.depth
    }

    pub(super) fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }
}

fn lookup<'a>(roles: &BTreeMap<String, Entry>, scope: &'a str) -> (&'a str, Full) {
    let mut at = scope;
    loop {
        if let Some(entry) = roles.get(at) {
            let full = match entry {
                Entry::Fg(fg) => Full { fg: Some(fg.clone()), ..Full::default() },
                Entry::Full(full) => full.clone(),
            };
            return (at, full);
        }
        at = match at.rsplit_once('.') {
            Some((above, _)) => above,
            None if at == "text" => return (at, Full::default()),
            None => "text",
        };
    }
}

fn style(
    name: &str,
    role: &str,
    entry: &Full,
    palette: &BTreeMap<String, String>,
    depth: ColorDepth,
) -> Result<Style, ThemeError> {
    let color = |word: &Option<String>| -> Result<Option<Color>, ThemeError> {
        let Some(word) = word else { return Ok(None) };
        parse_color(palette.get(word).unwrap_or(word)).map(Some).ok_or_else(|| ThemeError::Color {
            name: name.to_owned(),
            role: role.to_owned(),
            color: word.clone(),
        })
    };
    let mut out = Style::new();
    let (fg, bg) = (color(&entry.fg)?, color(&entry.bg)?);
    let words = match depth {
        ColorDepth::None => entry.mono.as_ref().unwrap_or(&entry.mods),
        _ => &entry.mods,
    };
    for word in words {
        out = out.add_modifier(match word.as_str() {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            _ => {
                return Err(ThemeError::Attribute {
                    name: name.to_owned(),
                    role: role.to_owned(),
                    word: word.clone(),
                });
            }
        });
    }
    if depth != ColorDepth::None {
        out.fg = fg.map(|c| reduce(c, depth));
        out.bg = bg.map(|c| reduce(c, depth));
    }
    Ok(out)
}

fn parse_color(word: &str) -> Option<Color> {
    if let Some(hex) = word.strip_prefix('#') {
        let n = (hex.len() == 6).then(|| u32::from_str_radix(hex, 16).ok())??;
        return Some(Color::Rgb((n >> 16) as u8, (n >> 8) as u8, n as u8));
    }
    Some(match word {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => return None,
    })
}

/// The 16 colours as xterm paints them; other terminals differ, so a nearest colour is a guess.
const XTERM16: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

fn reduce(color: Color, depth: ColorDepth) -> Color {
    let Color::Rgb(r, g, b) = color else { return color };
    let rgb = [r, g, b];
    match depth {
        ColorDepth::True | ColorDepth::None => color,
        ColorDepth::Ansi16 => {
            XTERM16.iter().min_by_key(|(_, c)| distance(*c, rgb)).map_or(Color::Reset, |(color, _)| *color)
        }
        // The first 16 are the terminal's own and may be anything, so only cube and greys are used.
        ColorDepth::Indexed => {
            (16..=255_u8).min_by_key(|i| distance(xterm256(*i), rgb)).map_or(Color::Reset, Color::Indexed)
        }
    }
}

fn xterm256(index: u8) -> [u8; 3] {
    if index >= 232 {
        return [8 + (index - 232) * 10; 3];
    }
    let level = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
    let i = index - 16;
    [level(i / 36), level(i / 6 % 6), level(i % 6)]
}

/// A squared distance that weighs green most and blue least, as eyes do.
fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let d = |i: usize| u32::from(a[i].abs_diff(b[i])).pow(2);
    3 * d(0) + 4 * d(1) + 2 * d(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color) -> f64 {
        let Color::Rgb(r, g, b) = color else { panic!("{color:?} is not a true colour") };
        let lin = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(b)
    }

    fn contrast(a: Color, b: Color) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_every_ground_that_it_meets() {
        for name in ["dark", "light", "high-contrast"] {
            let theme = Theme::built_in(name, ColorDepth::True).expect("built-in");
            let ground = theme.style(Role::Background).bg.expect("a background");
            for (role, scope) in Role::ALL {
                let style = theme.style(*role);
                let Some(fg) = style.fg else { continue };
                // Lines carry no text.
                if matches!(role, Role::Line | Role::LineFocus) {
                    continue;
                }
                let mut grounds = vec![style.bg.unwrap_or(ground)];
                let in_rows =
                    scope.starts_with("severity") || matches!(role, Role::Text | Role::Dim | Role::Strong);
                if style.bg.is_none() && in_rows {
                    for over in [Role::Selection, Role::SelectionIdle, Role::Panel] {
                        grounds.extend(theme.style(over).bg);
                    }
                }
                for ground in grounds {
                    let ratio = contrast(fg, ground);
                    assert!(ratio >= 4.5, "{name}: {scope} has {ratio:.2}:1 on {ground:?}");
                }
            }
        }
    }

    #[test]
    fn without_colours_there_are_none_and_selection_still_shows() {
        for name in Theme::names() {
            let theme = Theme::built_in(name, ColorDepth::None).expect("built-in");
            for (role, scope) in Role::ALL {
                let style = theme.style(*role);
                assert_eq!((style.fg, style.bg), (None, None), "{name}: {scope}");
            }
            assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED), "{name}");
        }
    }

    #[test]
    fn fewer_colours_mean_near_colours() {
        let dark = Theme::built_in("dark", ColorDepth::Indexed).expect("built-in");
        assert!(matches!(dark.style(Role::Text).fg, Some(Color::Indexed(_))));
        assert_eq!(reduce(Color::Rgb(255, 0, 0), ColorDepth::Indexed), Color::Indexed(196));
        assert_eq!(reduce(Color::Rgb(250, 10, 10), ColorDepth::Ansi16), Color::LightRed);
    }

    #[test]
    fn a_missing_role_takes_the_scope_above() {
        let theme =
            Theme::parse("t", "[roles]\ntext = \"#ffffff\"\nseverity = \"#ff0000\"", ColorDepth::True)
                .expect("theme");
        assert_eq!(theme.style(Role::Critical).fg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(theme.style(Role::KeyBar).fg, Some(Color::Rgb(255, 255, 255)));
    }

    #[test]
    fn a_wrong_theme_says_what_is_wrong() {
        let err = |text| Theme::parse("mine", text, ColorDepth::True).expect_err("wrong").to_string();
        assert!(err("[roles]\ntext = \"octarine\"").contains("`octarine` is not in [palette]"));
        assert!(err("[roles]\ntext = { mods = [\"blink\"] }").contains("`blink` is none of"));
        assert!(err("[roles]\nspeling = \"red\"").contains("no role `speling`"));
        assert!(err("[roles").contains("theme mine"));
        assert!(Theme::built_in("nope", ColorDepth::True).is_err());
    }

    #[test]
    fn the_environment_decides_the_depth() {
        use ColorDepth as D;
        assert_eq!(D::from_env(Some("1"), Some("truecolor"), Some("xterm")), D::None);
        assert_eq!(D::from_env(Some(""), Some("truecolor"), Some("xterm")), D::True);
        assert_eq!(D::from_env(None, None, Some("tmux-256color")), D::Indexed);
        assert_eq!(D::from_env(None, None, Some("linux")), D::Ansi16);
        assert_eq!(D::from_env(None, None, Some("dumb")), D::None);
    }
}
