//! Conditions and what the parser of Falco 0.44.1 makes of them, when the reference files lie beside the checkout: the same
//! texts are accepted and the trees are the same. The printer of the reference's form lives here, since nothing else
//! needs it.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::PathBuf;

use eyas_engine::Dialect;
use eyas_engine::syntax::ast::{Ast, CallArg, Check, NodeId, NodeKind, Operand, OperandKind, Rhs, Value};
use eyas_engine::syntax::parse_in;
use serde_json::Value as Json;

fn rows() -> Option<Vec<Json>> {
    let folder = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("falco/peer-tests/language.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no reference file at {}", path.display());
        return None;
    };
    let rows = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    Some(rows.filter(|row| row["parse"].is_string()).collect())
}

/// The bytes of a text in which those from 0x7f on are written as the characters of the same number.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// The reference's form of a tree. It keeps `=` and `==` apart, and a list from a list's name, so it looks at the text.
struct Printer<'p> {
    ast: &'p Ast,
    text: &'p str,
}

impl Printer<'_> {
    fn node(&self, id: NodeId) -> String {
        let join = |parts: &[NodeId], word: &str| {
            let parts: Vec<_> = parts.iter().map(|part| self.node(*part)).collect();
            format!("({})", parts.join(word))
        };
        match &self.ast.node(id).kind {
            NodeKind::And(parts) => join(parts, " and "),
            NodeKind::Or(parts) => join(parts, " or "),
            NodeKind::Not(part) => format!("not {}", self.node(*part)),
            NodeKind::Macro(name) => name.clone(),
            NodeKind::Check(check) => self.check(check),
            NodeKind::Broken => "<broken>".to_owned(),
        }
    }

    fn check(&self, check: &Check) -> String {
        let op = &self.text[check.op_bytes.start as usize..check.op_bytes.end as usize];
        let modifier = check.modifier.map_or(String::new(), |m| format!(" {}", m.word()));
        let rhs = match &check.rhs {
            Rhs::None => String::new(),
            Rhs::Value(value) => format!(" {}", constant(value)),
            Rhs::List(values) => {
                let list: Vec<_> = values.iter().map(constant).collect();
                let before = values.first().map_or(self.text.len(), |value| value.at.start as usize);
                let named = !self.text[check.op_bytes.end as usize..before].contains('(');
                if named { format!(" {}", list.join(", ")) } else { format!(" ({})", list.join(", ")) }
            }
            Rhs::Field(field) => format!(" val({})", operand(field)),
            Rhs::Call(call) => format!(" {}", operand(call)),
        };
        format!("{} {op}{modifier}{rhs}", operand(&check.lhs))
    }
}

fn operand(operand: &Operand) -> String {
    let (start, pick) = match &operand.kind {
        OperandKind::Field { name, arg } => (name.clone(), arg),
        OperandKind::Call { name, args, pick } => (format!("{}({})", name.word(), call_args(args)), pick),
    };
    match pick {
        None => start,
        Some(value) if value.bytes.is_empty() => format!("{start}[\"\"]"),
        Some(value) => format!("{start}[{}]", constant(value)),
    }
}

fn call_args(args: &[CallArg]) -> String {
    let args: Vec<_> = args
        .iter()
        .map(|arg| match arg {
            CallArg::Operand(inner) => operand(inner),
            CallArg::Constant(value) => constant(value),
            CallArg::List(list) => format!("({})", call_args(list)),
        })
        .collect();
    args.join(",")
}

/// A constant, quoted where it has a blank, a quote, a backslash or an equals sign.
fn constant(value: &Value) -> String {
    let text = String::from_utf8_lossy(&value.bytes);
    if !text.contains(|c: char| c.is_ascii_whitespace() || "\"'\\=".contains(c)) {
        return text.into_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What differs under a dialect, a row a line.
fn differences(rows: &[Json], dialect: Dialect) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows {
        let text = String::from_utf8(bytes(row["parse"].as_str().unwrap())).unwrap();
        let parsed = parse_in(&text, dialect);
        if row["ok"] != parsed.errors.is_empty() {
            let ours = parsed.errors.first().map_or("accepted", |e| &e.message);
            found.push(format!("{text:?}: {ours}; reference: {}", row["msg"]));
            continue;
        }
        let Some(wanted) = row["ast"].as_str().filter(|_| parsed.errors.is_empty()) else { continue };
        let printer = Printer { ast: &parsed.ast, text: &text };
        let ours = printer.node(parsed.ast.root().unwrap());
        if ours != wanted {
            found.push(format!("{text:?}: {ours}; reference: {wanted}"));
        }
    }
    found
}

#[test]
fn the_same_texts_parse_to_the_same_trees() {
    let Some(rows) = rows() else { return };
    assert!(rows.len() > 1000);
    for dialect in [Dialect::FalcoExact, Dialect::Eyas] {
        let found = differences(&rows, dialect);
        assert!(found.is_empty(), "{dialect:?}: {} rows differ:\n{}", found.len(), found.join("\n"));
    }
}

#[test]
fn only_newer_falco_knows_the_hexadecimal_escape() {
    let text = r#"fd.name = "\x41""#;
    assert!(parse_in(text, Dialect::Eyas).errors.is_empty());
    assert_eq!(parse_in(text, Dialect::FalcoExact).errors.len(), 1);
}
