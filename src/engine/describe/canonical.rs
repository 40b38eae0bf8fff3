//! A condition in Falco's canonical form: macros put in, every `and` and `or` in parentheses, quotes only where a constant
//! holds a blank, a quote, a backslash or a control character. Parsing that form again is not promised; comparing it is.

use std::fmt::Write as _;

use crate::lower::{Body, Vocabulary};
use crate::syntax::ast::{Ast, CallArg, Check, NodeId, NodeKind, Operand, OperandKind, Rhs, Value};

/// Macros within macros can double a text with each step; what is longer than this is cut, since nobody reads it.
const LONGEST: usize = 1 << 20;

/// A circle of macros writes nothing, so steps are counted beside bytes.
const MOST_STEPS: usize = 1 << 20;

/// The condition of a body.
pub fn canonical(body: &Body, vocabulary: &Vocabulary) -> String {
    enum Step<'a> {
        Node(&'a Ast, NodeId, usize),
        Text(&'a str),
    }
    let mut out = String::new();
    let Some(root) = body.ast.root() else { return out };
    // Steps still to do, last first: no recursion, whatever the nesting.
    let mut steps = vec![Step::Node(&body.ast, root, usize::MAX)];
    let mut taken = 0;
    while let Some(step) = steps.pop() {
        taken += 1;
        if out.len() > LONGEST || taken > MOST_STEPS {
            break;
        }
        let (ast, id, sees_below) = match step {
            Step::Text(text) => {
                out.push_str(text);
                continue;
            }
            Step::Node(ast, id, sees_below) => (ast, id, sees_below),
        };
        match &ast.node(id).kind {
            NodeKind::And(parts) | NodeKind::Or(parts) => {
                let word = if matches!(ast.node(id).kind, NodeKind::And(_)) { " and " } else { " or " };
                out.push('(');
                steps.push(Step::Text(")"));
                for (i, part) in parts.iter().enumerate().rev() {
                    steps.push(Step::Node(ast, *part, sees_below));
                    if i > 0 {
                        steps.push(Step::Text(word));
                    }
                }
            }
            NodeKind::Not(part) => {
                out.push_str("not ");
                steps.push(Step::Node(ast, *part, sees_below));
            }
            NodeKind::Check(check) => push_check(&mut out, check),
            NodeKind::Macro(name) => {
                let found = vocabulary.collection.find_macro(name, sees_below);
                let inner = found.and_then(|i| Some((i, vocabulary.macros.get(i)?)));
                match inner.and_then(|(i, inner)| Some((i, inner, inner.ast.root()?))) {
                    Some((i, inner, root)) => {
                        let below = vocabulary.collection.macros[i].sees_below;
                        steps.push(Step::Node(&inner.ast, root, below));
                    }
                    None => out.push_str(name),
                }
            }
            NodeKind::Broken => out.push_str("<?>"),
        }
    }
    out
}

fn push_check(out: &mut String, check: &Check) {
    push_operand(out, &check.lhs);
    out.push(' ');
    out.push_str(&operator(check));
    match &check.rhs {
        Rhs::None => {}
        Rhs::Value(value) => {
            out.push(' ');
            push_text(out, &value.bytes);
        }
        Rhs::List(values) => {
            out.push_str(" (");
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                push_text(out, &value.bytes);
            }
            out.push(')');
        }
        Rhs::Field(field) => {
            out.push_str(" val(");
            push_operand(out, field);
            out.push(')');
        }
        Rhs::Call(call) => {
            out.push(' ');
            push_operand(out, call);
        }
    }
}

/// The operator with its modifier, as Falco names it.
pub fn operator(check: &Check) -> String {
    match check.modifier {
        Some(modifier) => format!("{} {}", check.op.word(), modifier.word()),
        None => check.op.word().to_owned(),
    }
}

/// An operand as Falco writes it.
pub fn push_operand(out: &mut String, operand: &Operand) {
    let pick = match &operand.kind {
        OperandKind::Field { name, arg } => {
            out.push_str(name);
            arg
        }
        OperandKind::Call { name, args, pick } => {
            let _ = write!(out, "{}(", name.word());
            push_args(out, args);
            out.push(')');
            pick
        }
    };
    if let Some(Value { bytes, .. }) = pick {
        out.push('[');
        if bytes.is_empty() {
            out.push_str("\"\"");
        } else {
            push_text(out, bytes);
        }
        out.push(']');
    }
}

fn push_args(out: &mut String, args: &[CallArg]) {
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        match arg {
            CallArg::Operand(operand) => push_operand(out, operand),
            CallArg::Constant(value) => push_quoted(out, &value.bytes),
            CallArg::List(args) => {
                out.push('(');
                push_args(out, args);
                out.push(')');
            }
        }
    }
}

fn push_text(out: &mut String, bytes: &[u8]) {
    if bytes.iter().any(|b| matches!(b, b' ' | b'"' | b'\\' | 0x08..=0x0d)) {
        push_quoted(out, bytes);
    } else {
        out.push_str(&String::from_utf8_lossy(bytes));
    }
}

fn push_quoted(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for c in String::from_utf8_lossy(bytes).chars() {
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
}
