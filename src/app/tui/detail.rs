//! Everything about one alert as lines of text: what its rule means, what it said, the process among its ancestors, fields,
//! tags. Where there are few lines, the process that fired comes first, and each ancestor takes one.
//! A line may stand for a field's value or a process, which `i` and `x` then put into the filter. Texts are neutralised here.

use std::sync::Arc;

use eyas_event::{Alert, AlertId, FieldId, OutputValue, Process, WallTime};

use super::columns::{self, value_text};
use super::door::{RuleSource, Ticket};
use super::show;
use super::theme::Role;
use super::zone::Zone;

/// How many ancestors are shown in a pane; those between them and the first are only counted.
const ANCESTORS_IN_PANE: usize = 5;
/// The same where the details have the whole screen.
const ANCESTORS_MAX: usize = 64;
/// How many lines a single value may take.
const LINES_MAX: usize = 12;

/// The alert whose details are open.
#[derive(Clone, Debug)]
pub(super) struct DetailView {
    pub(super) alert: Arc<Alert>,
    pub(super) rule: Rule,
    /// The line with the cursor.
    pub(super) line: usize,
    /// The first line on the screen.
    pub(super) top: usize,
}

/// How much of the ancestors is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The process that fired before all else, its ancestors a line each, no blank lines.
    Tight,
    /// The same with blank lines.
    Short,
    /// The process that fired whole, its ancestors cut: so that all of them are seen at once.
    Pane,
    /// Everything.
    Whole,
}

impl Extent {
    /// Whether the process that fired comes first, its ancestors a line each.
    fn is_short(self) -> bool {
        matches!(self, Self::Tight | Self::Short)
    }
}

/// What is known of the rule's text.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// It has been asked for.
    Asked(Ticket),
    /// The store has it, or knows that it does not.
    Known(Option<RuleSource>),
    /// The store could not say.
    Failed(String),
}

/// What `i` and `x` take from a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// A field's value.
    Value(String, String),
    /// A process and all that it started, by its id: a name at a depth would also mean others, and miss some.
    Tree(u32),
}

/// A line of the details.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Pieces of text and what they are painted as.
    pub(super) parts: Vec<(Role, String)>,
    /// What the line stands for.
    pub(super) pick: Option<Pick>,
    /// Whether a section begins here.
    pub(super) section: bool,
    /// The section and the number of the item in it, the same however the details are laid out.
    pub(super) item: (&'static str, usize),
}

impl DetailView {
    pub(super) fn new(alert: Arc<Alert>, ticket: Ticket) -> Self {
        Self { alert, rule: Rule::Asked(ticket), line: 0, top: 0 }
    }

    pub(super) fn id(&self) -> AlertId {
        self.alert.id
    }

    /// Puts the cursor on a line, moving the view as little as possible.
    pub(super) fn go(&mut self, line: usize, lines: usize, height: usize) {
        self.line = line.min(lines.saturating_sub(1));
        let lowest = self.line.saturating_sub(height.saturating_sub(1));
        self.top = self.top.clamp(lowest, self.line).min(lines.saturating_sub(height.min(lines)));
    }

    /// All lines in `width` columns.
    pub(super) fn lines(&self, width: usize, zone: &Zone, extent: Extent) -> Vec<Line> {
        let mut out = Writer { lines: Vec::new(), width: width.max(1), extent, item: ("", 0) };
        let alert = &*self.alert;
        out.summary(alert, zone);
        if extent.is_short() {
            out.processes_short(alert, zone);
            out.rule(alert, &self.rule);
            out.output(alert);
        } else {
            out.rule(alert, &self.rule);
            out.output(alert);
            out.processes(alert, zone);
        }
        out.fields(alert);
        out.tags(alert);
        out.rule_text(&self.rule);
        out.lines
    }

    /// The first line of the item on which the cursor was, in another layout of the same details.
    pub(super) fn find_item(lines: &[Line], item: (&'static str, usize)) -> Option<usize> {
        let exact = lines.iter().position(|l| l.item == item);
        exact.or_else(|| lines.iter().position(|l| l.item.0 == item.0))
    }
}

/// The section of the processes.
const PROCESSES: &str = "PROCESS AND ANCESTORS";

struct Writer {
    lines: Vec<Line>,
    width: usize,
    extent: Extent,
    item: (&'static str, usize),
}

impl Writer {
    fn section(&mut self, title: &'static str) {
        self.section_of(title, "");
    }

    /// A title with a few words after it.
    fn section_of(&mut self, title: &'static str, aside: &str) {
        if !self.lines.is_empty() && self.extent != Extent::Tight {
            self.line(Vec::new());
        }
        self.item = (title, 0);
        let mut parts = vec![(Role::Title, title.to_owned())];
        if !aside.is_empty() {
            parts.push((Role::Dim, format!("  {aside}")));
        }
        self.lines.push(Line { parts, pick: None, section: true, item: self.item });
    }

    fn line(&mut self, parts: Vec<(Role, String)>) {
        self.lines.push(Line { parts, item: self.item, ..Line::default() });
    }

    /// A text over as many lines as it needs, each after an indent; the first line begins with `lead`.
    fn text(
        &mut self,
        lead: Vec<(Role, String)>,
        indent: usize,
        role: Role,
        text: &str,
        pick: Option<&Pick>,
    ) {
        self.text_in(lead, indent, role, text, pick, LINES_MAX);
    }

    fn text_in(
        &mut self,
        lead: Vec<(Role, String)>,
        indent: usize,
        role: Role,
        text: &str,
        pick: Option<&Pick>,
        lines_max: usize,
    ) {
        let indent = indent.min(self.width / 2);
        let mut lead = Some(lead);
        for piece in show::wrap(text, self.width.saturating_sub(indent).max(1), lines_max) {
            let mut parts = lead.take().unwrap_or_else(|| vec![(Role::Text, " ".repeat(indent))]);
            parts.push((role, piece));
            self.lines.push(Line { parts, pick: pick.cloned(), section: false, item: self.item });
        }
    }

    fn summary(&mut self, alert: &Alert, zone: &Zone) {
        let role = columns::role(alert.priority);
        let name = format!("{} {}", columns::sign(alert.priority), alert.priority.name());
        let indent = show::width(&name) + 2;
        let lead = vec![(role, name), (Role::Text, "  ".to_owned())];
        let pick = Pick::Value(FieldId::ALERT_RULE.info().name.to_owned(), alert.rule.to_string());
        self.text(lead, indent, Role::Strong, &show::clean(&alert.rule), Some(&pick));
        if let Some(first) = self.lines.first_mut() {
            first.section = true;
        }
        let facts = [
            zone.full(alert.time),
            format!("node {}", show::clean(&alert.node)),
            format!("event {} ({})", alert.event_num, alert.event_type),
        ];
        self.facts(&facts, 0, if self.extent == Extent::Tight { 1 } else { LINES_MAX }, None);
        if alert.lost_before > 0 {
            let lost = show::plural(alert.lost_before, "record");
            self.line(vec![(Role::Bad, format!("! {lost} had been lost before this fired"))]);
        }
    }

    /// Short texts side by side, as many as fit on each of at most `lines_max` lines.
    fn facts(&mut self, facts: &[String], indent: usize, lines_max: usize, pick: Option<&Pick>) {
        let indent = indent.min(self.width / 2);
        let room = self.width.saturating_sub(indent).max(1);
        let mut line = String::new();
        let mut lines = Vec::new();
        for fact in facts {
            if !line.is_empty() && show::width(&line) + 3 + show::width(fact) > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push_str(" · ");
            }
            line.push_str(fact);
        }
        lines.push(line);
        for line in lines.into_iter().take(lines_max) {
            self.text(vec![(Role::Text, " ".repeat(indent))], indent, Role::Dim, &line, pick);
        }
    }

    fn output(&mut self, alert: &Alert) {
        self.section("OUTPUT");
        let text = show::clean(&alert.message).into_owned();
        self.text(vec![(Role::Text, "  ".into())], 2, Role::Text, &text, None);
    }

    /// The process that fired, then its ancestors from its parent on.
    fn processes_short(&mut self, alert: &Alert, zone: &Zone) {
        self.section(PROCESSES);
        self.process(&alert.process, alert, zone, 0, 0);
        let all = &alert.ancestors;
        // A single one is shown rather than counted.
        let near = if all.len() <= ANCESTORS_IN_PANE + 2 { all.len() } else { ANCESTORS_IN_PANE };
        for (i, p) in all[..near].iter().enumerate() {
            self.ancestor(p, i + 1);
        }
        if let Some(first) = all[near..].last() {
            let between = show::plural((all.len() - near - 1) as u64, "ancestor");
            self.line(vec![(Role::Dim, format!("  … {between} between"))]);
            self.ancestor(first, all.len());
        }
    }

    fn ancestor(&mut self, p: &Process, generation: usize) {
        self.item = (PROCESSES, generation + 1);
        let pid = format!("{} ", p.key.pid);
        let taken = 4 + show::width(&pid);
        let lead = vec![(Role::Line, "  ← ".to_owned()), (Role::Dim, pid)];
        let cmdline = show::clean_bytes(&p.cmdline()).into_owned();
        self.text_in(lead, taken, Role::Text, &cmdline, Some(&Pick::Tree(p.key.pid)), 1);
    }

    fn processes(&mut self, alert: &Alert, zone: &Zone) {
        let extent = self.extent;
        self.section(PROCESSES);
        let all = alert.ancestors.len();
        let near = all.min(if extent == Extent::Pane { ANCESTORS_IN_PANE } else { ANCESTORS_MAX });
        // A single one is shown rather than counted.
        let near = if all - near == 1 { all } else { near };
        let hidden = all - near;
        let mut depth = 0;
        if hidden > 0 {
            if let Some(first) = alert.ancestors.last() {
                self.process(first, alert, zone, 0, all);
            }
            if hidden > 1 {
                self.line(vec![(
                    Role::Dim,
                    format!("  … {} between", show::plural(hidden as u64 - 1, "ancestor")),
                )]);
            }
            depth = 1;
        }
        for (i, ancestor) in alert.ancestors[..near].iter().enumerate().rev() {
            self.process(ancestor, alert, zone, depth, i + 1);
            depth += 1;
        }
        self.process(&alert.process, alert, zone, depth, 0);
    }

    /// One process: `generation` 0 is the one that fired, 1 its parent, and so on.
    fn process(&mut self, p: &Process, alert: &Alert, zone: &Zone, depth: usize, generation: usize) {
        self.item = (PROCESSES, generation + 1);
        let indent = depth.saturating_sub(1).min(self.width / 8) * 2 + 2;
        let branch = if depth == 0 { String::new() } else { "└─ ".to_owned() };
        let own = generation == 0;
        let pick = Pick::Tree(p.key.pid);
        let pid = format!("{} ", p.key.pid);
        let user = if own {
            show::clean(&alert.user).into_owned()
        } else if p.uid == 0 {
            "root".to_owned()
        } else {
            format!("uid {}", p.uid)
        };
        let lead = vec![
            (Role::Text, " ".repeat(indent)),
            (Role::Line, branch.clone()),
            (if own { Role::Accent } else { Role::Dim }, pid.clone()),
        ];
        let taken = indent + show::width(&branch) + show::width(&pid);
        let cmdline = show::clean_bytes(&p.cmdline()).into_owned();
        let role = if own { Role::Strong } else { Role::Text };
        let lines_max = match generation {
            _ if self.extent == Extent::Whole => LINES_MAX,
            0 if self.extent.is_short() => 4,
            0 => LINES_MAX,
            1 => 4,
            _ => 2,
        };
        self.text_in(lead, taken, role, &cmdline, Some(&pick), lines_max);
        let mut facts = vec![user];
        if p.started.0 != 0 {
            let ago = alert.boot_time.0.saturating_sub(p.started.0);
            facts.push(format!("since {}", zone.time_of_day(WallTime(alert.time.0.saturating_sub(ago)))));
        }
        if p.in_container() {
            facts.push(format!("container {}", show::clean(&p.container)));
        }
        if !p.exe_path.is_empty() {
            facts.push(show::clean_bytes(&p.exe_path).into_owned());
        }
        if !p.cwd.is_empty() {
            facts.push(format!("in {}", show::clean_bytes(&p.cwd)));
        }
        let facts_max = match generation {
            _ if lines_max == LINES_MAX => LINES_MAX,
            0 if self.extent == Extent::Short => 3,
            _ => 1,
        };
        self.facts(&facts, taken, facts_max, Some(&pick));
    }

    fn tags(&mut self, alert: &Alert) {
        self.section("TAGS");
        let tags: Vec<_> = alert.tags.iter().map(|t| show::clean(t)).collect();
        let text = if tags.is_empty() { "This rule has none.".to_owned() } else { tags.join("  ") };
        let role = if tags.is_empty() { Role::Dim } else { Role::Accent };
        self.text(vec![(Role::Text, "  ".into())], 2, role, &text, None);
    }

    fn fields(&mut self, alert: &Alert) {
        self.section("FIELDS");
        let there = || alert.fields.iter().filter(|(_, v)| *v != OutputValue::Null);
        let names = there().map(|(n, _)| show::width(&show::clean(n))).max().unwrap_or(0);
        let names = names.min(24).min(self.width / 2);
        if there().next().is_none() {
            self.line(vec![(Role::Dim, "  The event had no values.".into())]);
        }
        for (i, (name, value)) in there().enumerate() {
            self.item.1 = i + 1;
            let value = value_text(value);
            let shown = show::clean(&value).into_owned();
            let lead = vec![
                (Role::Field, format!("  {}", show::pad(&show::clean(name), names))),
                (Role::Dim, " = ".into()),
            ];
            self.text(lead, names + 5, Role::Value, &shown, Some(&Pick::Value(name.clone(), value)));
        }
    }

    /// What the rule means.
    fn rule(&mut self, alert: &Alert, rule: &Rule) {
        let place = match rule {
            Rule::Known(Some(source)) => format!("{}:{}", show::clean(&source.file), source.line),
            _ => String::new(),
        };
        self.section_of("RULE", &place);
        let indent = || vec![(Role::Text, "  ".to_owned())];
        match rule {
            Rule::Asked(_) => self.line(vec![(Role::Dim, "  Reading it from the store…".into())]),
            Rule::Failed(why) => {
                let why = format!("The store could not say: {}", show::clean(why));
                self.text(indent(), 2, Role::Warn, &why, None);
            }
            Rule::Known(None) => {
                let hash = alert.ruleset.to_string();
                let text = format!("The ruleset that fired it ({}) is not in this store.", &hash[..12]);
                self.text(indent(), 2, Role::Dim, &text, None);
            }
            Rule::Known(Some(source)) => {
                let lines_max = match self.extent {
                    Extent::Tight => 2,
                    Extent::Short | Extent::Pane => 4,
                    Extent::Whole => LINES_MAX,
                };
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                let desc = words(&source.desc);
                if !desc.is_empty() {
                    self.text_in(indent(), 2, Role::Text, &show::clean(&desc), None, lines_max);
                }
                let lead = vec![(Role::Field, "  when ".to_owned())];
                let condition = words(&source.condition);
                self.text_in(lead, 7, Role::Value, &show::clean(&condition), None, lines_max);
            }
        }
    }

    /// The rule as it stands in its file.
    fn rule_text(&mut self, rule: &Rule) {
        let Rule::Known(Some(source)) = rule else { return };
        self.section_of("RULE AS WRITTEN", &format!("{}:{}", show::clean(&source.file), source.line));
        for (i, line) in source.text.lines().take(400).enumerate() {
            self.item.1 = i + 1;
            let line = line.replace('\t', "  ");
            let body = line.trim_start();
            let indent = 2 + (line.len() - body.len());
            let text = show::clean(body).into_owned();
            let lead = vec![(Role::Text, " ".repeat(indent.min(self.width / 2)))];
            self.text(lead, indent, Role::Text, &text, None);
        }
    }
}
