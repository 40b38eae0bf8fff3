//! Lines put in place of a scalar: a block stays a block, a text on the line of its key stays there while it fits, and what
//! does not fit becomes a folded block.

use granit_parser::ScalarStyle;

use super::WIDTH;
use super::layout::Tree;
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// The bytes of the file to replace and the text for them; nothing when the scalar does not stand where it could be.
pub(super) fn place(
    file: &str,
    key: Span,
    node: &Node,
    lead: &str,
    tree: &Tree,
) -> Result<Option<(usize, usize, String)>, &'static str> {
    let Kind::Scalar(scalar) = &node.kind else { return Ok(None) };
    let key_line =
        file.get(..key.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let before_key = file.get(key_line..key.start as usize).unwrap_or("");
    let flat = if lead.is_empty() { tree.flat() } else { format!("{lead} {}", tree.flat()) };
    if scalar.text.trim() == flat && flat.chars().count() + before_key.len() + 4 <= WIDTH {
        return Ok(None);
    }
    if !before_key.bytes().all(|b| matches!(b, b' ' | b'-')) {
        return Err("its item is written in braces");
    }
    let column = before_key.len();
    let Some(between) = file.get(key.end as usize..node.span.start as usize) else { return Ok(None) };
    let indent = column + 2;
    let pad = " ".repeat(indent);
    let block = || -> String {
        let lines = tree.lines(lead, WIDTH.saturating_sub(indent));
        lines.iter().map(|line| format!("{pad}{line}")).collect::<Vec<_>>().join(newline(file))
    };
    match scalar.style {
        ScalarStyle::Folded | ScalarStyle::Literal => {
            let header_end = between.find('\n').map(|at| key.end as usize + at);
            let Some(header_end) = header_end else { return Ok(None) };
            let header = file.get(key.end as usize..header_end).unwrap_or("").trim_end_matches('\r');
            let sign = header.split('#').next().unwrap_or("");
            if sign.bytes().any(|b| b.is_ascii_digit()) && !sign.contains('&') {
                return Err("its block names its own indentation");
            }
            let start = header_end + 1;
            let end = start + file.get(start..node.span.end as usize).unwrap_or("").trim_end().len();
            Ok(Some((start, end, block())))
        }
        style => {
            // An alias has its scalar elsewhere; a value on a line of its own becomes one behind its key.
            if !between.trim_start().starts_with(':') {
                return Ok(None);
            }
            let raw = file.get(node.span.start as usize..node.span.end as usize).unwrap_or("");
            let (start, end) = (node.span.start as usize, node.span.start as usize + raw.trim_end().len());
            let text = match style {
                ScalarStyle::SingleQuoted => Some(format!("'{}'", flat.replace('\'', "''"))),
                ScalarStyle::DoubleQuoted => {
                    Some(format!("\"{}\"", flat.replace('\\', "\\\\").replace('"', "\\\"")))
                }
                _ => is_plain(&flat).then_some(flat),
            };
            let line_start = file[..start].rfind('\n').map_or(0, |at| at + 1);
            let used = file.get(line_start..start).map_or(0, |before| before.chars().count());
            if let Some(text) = text
                && used + text.chars().count() <= WIDTH
            {
                return Ok(Some((start, end, text)));
            }
            if between.contains('\n') {
                return Err("its value stands on a line of its own");
            }
            let rest = file.get(end..).unwrap_or("");
            if !rest.is_empty() && !rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n') {
                return Err("a comment stands behind it");
            }
            Ok(Some((start, end, format!(">{}{}", newline(file), block()))))
        }
    }
}

fn newline(file: &str) -> &'static str {
    if file.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Whether a text may stand in YAML without quotes and mean itself.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '(');
    starts && !text.contains(": ") && !text.contains(" #") && !text.ends_with(':')
}
