//! The list's columns: what each shows of an alert, how wide it is, which go first when room is short, and which field a
//! value stands for when it becomes part of a filter.

use std::borrow::Cow;

use eyas_event::{Alert, FieldId, OutputValue, Priority};

use super::show;
use super::theme::Role;

/// A column of the alert list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Local time of day.
    Time,
    /// Sign and letter of the severity.
    Severity,
    /// The rule's name.
    Rule,
    /// The process's short name.
    Process,
    /// The container, or `host`.
    Container,
    /// The user.
    User,
    /// The rendered output.
    Message,
}

impl Column {
    pub(super) const ALL: [Self; 7] =
        [Self::Time, Self::Severity, Self::Rule, Self::Process, Self::Container, Self::User, Self::Message];

    /// Its heading.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Time => "TIME",
            Self::Severity => "SEV",
            Self::Rule => "RULE",
            Self::Process => "PROCESS",
            Self::Container => "CONTAINER",
            Self::User => "USER",
            Self::Message => "MESSAGE",
        }
    }

    /// The text in it, neutralised; the time is written elsewhere, because it needs a zone.
    pub(super) fn text(self, alert: &Alert) -> Cow<'_, str> {
        match self {
            Self::Time => Cow::Borrowed(""),
            Self::Severity => Cow::Borrowed(alert.priority.name()),
            Self::Rule => show::clean(&alert.rule),
            Self::Process => show::clean_bytes(&alert.process.comm),
            Self::Container => show::clean(&alert.process.container),
            Self::User => show::clean(&alert.user),
            Self::Message => show::clean(unrepeated(alert)),
        }
    }

    /// The field and the value that this cell stands for, or why there is none.
    pub(super) fn pick(self, alert: &Alert) -> Result<(String, String), &'static str> {
        let field = match self {
            Self::Process => FieldId::PROC_NAME,
            Self::Container => FieldId::CONTAINER_ID,
            Self::User => FieldId::USER_NAME,
            Self::Rule => FieldId::ALERT_RULE,
            Self::Severity => FieldId::ALERT_PRIORITY,
            Self::Time => {
                return Err("A filter has no time range yet: move the cursor to another column (← →).");
            }
            Self::Message => {
                return Err("A message is made of fields: press Enter and choose the one you mean.");
            }
        };
        let field = field.info().name;
        let value = alert.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value_text(value));
        let fallback = || match self {
            Self::Process => eyas_event::text::to_utf8(&alert.process.comm).into_owned(),
            Self::Container => alert.process.container.to_string(),
            Self::Rule => alert.rule.to_string(),
            Self::Severity => alert.priority.name().to_owned(),
            _ => alert.user.clone(),
        };
        Ok((field.to_owned(), value.unwrap_or_else(fallback)))
    }
}

/// The message without the rule's name at its beginning, which stands two columns before.
fn unrepeated(alert: &Alert) -> &str {
    match alert.message.strip_prefix(&*alert.rule) {
        Some(rest) if rest.starts_with([' ', ':', '|']) => rest.trim_start_matches([' ', ':', '|']),
        _ => &alert.message,
    }
}

/// A value as a condition compares it.
pub(super) fn value_text(value: &OutputValue) -> String {
    match value {
        OutputValue::Null => String::new(),
        OutputValue::Bool(b) => b.to_string(),
        OutputValue::Int(n) => n.to_string(),
        OutputValue::Uint(n) => n.to_string(),
        OutputValue::Text(s) => s.clone(),
        OutputValue::List(list) => {
            let parts: Vec<_> = list.iter().map(value_text).collect();
            format!("({})", parts.join(", "))
        }
    }
}

/// The columns that fit, with their widths. The message takes what is left and is there from 16 columns on.
pub(super) fn fit(total: usize) -> Vec<(Column, usize)> {
    // Least important first. In a narrow list a stump of the message says less than rule and process do.
    let drop = if total >= 72 {
        [Column::Container, Column::User, Column::Process, Column::Time, Column::Message]
    } else {
        [Column::Container, Column::User, Column::Message, Column::Process, Column::Time]
    };
    let message_min = 20;
    let mut shown: Vec<Column> = Column::ALL.to_vec();
    let fixed = |c: Column| match c {
        Column::Severity => 3,
        Column::Rule => (total * 34 / 100).clamp(12, 40),
        Column::Process => {
            if total >= 100 {
                15
            } else {
                12
            }
        }
        Column::Container => 12,
        Column::Time | Column::User => 8,
        Column::Message => 0,
    };
    let mut drop = drop.into_iter();
    loop {
        let used: usize = shown.iter().map(|c| fixed(*c) + 2).sum::<usize>().saturating_sub(2);
        let message = shown.contains(&Column::Message);
        if used + (if message { message_min } else { 0 }) <= total {
            let rest = total - used;
            let grow = if message { Column::Message } else { Column::Rule };
            return shown.into_iter().map(|c| (c, fixed(c) + if c == grow { rest } else { 0 })).collect();
        }
        let Some(next) = drop.next() else {
            // Not even severity and rule: the rule alone, in what there is.
            return if total >= 6 {
                vec![(Column::Severity, 3), (Column::Rule, total - 5)]
            } else {
                vec![(Column::Rule, total)]
            };
        };
        shown.retain(|c| *c != next);
    }
}

/// A severity's sign, letter aside: its shape says the same as its colour.
pub(super) fn sign(priority: Priority) -> char {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical => '▲',
        Priority::Error => '■',
        Priority::Warning => '●',
        Priority::Notice => '○',
        Priority::Informational | Priority::Debug => '·',
    }
}

/// What a severity is painted as.
pub(super) fn role(priority: Priority) -> Role {
    match priority {
        Priority::Emergency => Role::Emergency,
        Priority::Alert => Role::Alert,
        Priority::Critical => Role::Critical,
        Priority::Error => Role::Error,
        Priority::Warning => Role::Warning,
        Priority::Notice => Role::Notice,
        Priority::Informational => Role::Informational,
        Priority::Debug => Role::Debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_always_fit() {
        for total in 0..300 {
            let columns = fit(total);
            let used: usize = columns.iter().map(|(_, w)| w + 2).sum::<usize>().saturating_sub(2);
            assert!(used <= total, "{total}: {columns:?}");
            assert!(!columns.is_empty());
        }
        assert_eq!(fit(118).len(), 7, "all of them on 120 columns");
    }
}
