//! Tree to text, so that parsing the text gives the same tree.

use std::fmt;

use super::ast::{Ast, CallArg, Check, NodeId, NodeKind, Operand, OperandKind, Rhs, Value};
use super::lexer::quoted_needed;

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        enum Step<'a> {
            Node(NodeId, bool),
            Text(&'a str),
        }
        let Some(root) = self.root() else { return Ok(()) };
        // Steps still to do, last first: no recursion, whatever the nesting.
        let mut steps = vec![Step::Node(root, false)];
        while let Some(step) = steps.pop() {
            let (id, inner) = match step {
                Step::Text(text) => {
                    f.write_str(text)?;
                    continue;
                }
                Step::Node(id, inner) => (id, inner),
            };
            match &self.node(id).kind {
                NodeKind::And(parts) | NodeKind::Or(parts) => {
                    let and = matches!(self.node(id).kind, NodeKind::And(_));
                    if inner {
                        f.write_str("(")?;
                        steps.push(Step::Text(")"));
                    }
                    for (i, part) in parts.iter().enumerate().rev() {
                        steps.push(Step::Node(*part, true));
                        if i > 0 {
                            steps.push(Step::Text(if and { " and " } else { " or " }));
                        }
                    }
                }
                NodeKind::Not(part) => {
                    f.write_str("not ")?;
                    // Side by side they would cancel each other.
                    if matches!(self.node(*part).kind, NodeKind::Not(_)) {
                        f.write_str("(")?;
                        steps.push(Step::Text(")"));
                    }
                    steps.push(Step::Node(*part, true));
                }
                NodeKind::Check(check) => check.fmt(f)?,
                NodeKind::Macro(name) => f.write_str(name)?,
                NodeKind::Broken => f.write_str("<?>")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.lhs, self.op.word())?;
        if let Some(modifier) = self.modifier {
            write!(f, " {}", modifier.word())?;
        }
        match &self.rhs {
            Rhs::None => Ok(()),
            Rhs::Value(value) => write!(f, " {value}"),
            Rhs::List(values) => {
                f.write_str(" (")?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Rhs::Field(field) => write!(f, " val({field})"),
            Rhs::Call(call) => write!(f, " {call}"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pick = match &self.kind {
            OperandKind::Field { name, arg } => {
                f.write_str(name)?;
                arg
            }
            OperandKind::Call { name, args, pick } => {
                write!(f, "{}(", name.word())?;
                print_args(args, f)?;
                f.write_str(")")?;
                pick
            }
        };
        match pick {
            None => Ok(()),
            Some(arg) if arg.quoted => write!(f, "[{}]", Quoted(&arg.bytes)),
            Some(arg) => write!(f, "[{}]", String::from_utf8_lossy(&arg.bytes)),
        }
    }
}

fn print_args(args: &[CallArg], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        match arg {
            CallArg::Operand(operand) => write!(f, "{operand}")?,
            CallArg::Constant(value) => write!(f, "{}", Quoted(&value.bytes))?,
            CallArg::List(args) => {
                f.write_str("(")?;
                print_args(args, f)?;
                f.write_str(")")?;
            }
        }
    }
    Ok(())
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted || quoted_needed(&self.bytes) {
            Quoted(&self.bytes).fmt(f)
        } else {
            f.write_str(&String::from_utf8_lossy(&self.bytes))
        }
    }
}

/// Bytes as a quoted constant.
struct Quoted<'b>(&'b [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        // A quote after a backslash closes nothing, so a backslash at the end is written in the old way.
        let (body, last) = match self.0.strip_suffix(b"\\") {
            Some(body) => (body, "\\ "),
            None => (self.0, ""),
        };
        for chunk in body.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' => f.write_str("\\\"")?,
                    '\\' => f.write_str("\\\\")?,
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    c if (c as u32) < 0x20 || c as u32 == 0x7f => write!(f, "\\x{:02x}", c as u32)?,
                    c => write!(f, "{c}")?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str(last)?;
        f.write_str("\"")
    }
}
