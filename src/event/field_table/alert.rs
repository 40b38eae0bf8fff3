//! Alerts, for filters over them: fields of eyas alone.
//! One row a field; how to read a row stands in `field_table.rs`.

use crate::field::FieldType::{Priority, Text};
use crate::field::{FieldInfo, FieldType};
use crate::field_table::{f, why};

const fn row(name: &'static str, ty: FieldType, doc: &'static str) -> FieldInfo {
    f(name, ty, doc).absent(why::ALERTS_ONLY)
}

pub(super) const ROWS: &[FieldInfo] = &[
    row("alert.rule", Text, "Name of the rule that fired; eyas only."),
    row("alert.priority", Priority, "Priority of the rule that fired; eyas only."),
];
