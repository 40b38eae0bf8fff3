//! Items whose keys lost their indentation, as happens to rules that are copied from a page: YAML cannot read them, and the
//! parser's own words do not say so. The mend indents the item again.

use crate::diag::{Code, Diagnostic};
use crate::items::{KINDS, rule};
use crate::source::{SourceId, Span};

/// What lists and requirements have below their first line, beside the keys of rules.
const OTHERS: [&str; 4] = ["items", "name", "version", "alternatives"];

/// Gives the YAML errors that come from lost indentation words of their own and a mend.
pub(super) fn lost_indentation(source: SourceId, file: &str, diagnostics: &mut [Diagnostic]) {
    let mut done: Vec<Span> = Vec::new();
    for found in diagnostics.iter_mut().filter(|d| d.code == Code::YamlSyntax && d.edit.is_none()) {
        let Some(place) = found.place().filter(|span| span.source == source) else { continue };
        let Some((first, start, text)) = indented(file, place.start as usize) else { continue };
        let span = Span::new(source, start as u32, (start + text.0) as u32);
        if done.contains(&span) {
            continue;
        }
        done.push(span);
        let key = Span::new(source, start as u32, (start + first) as u32);
        let item = std::mem::take(&mut found.item);
        let mut better = Diagnostic::new(
            Code::YamlSyntax,
            "the keys of this item lost their indentation",
            key,
            "it begins here",
        )
        .note("the item was left out; the keys of an item stand two blanks to the right of its dash, the lines of a block four")
        .mend("indent them", span, text.1);
        better.item = item;
        *found = better;
    }
}

/// The length of the first key, where the lines below the dash begin, and those lines' length and new text.
fn indented(file: &str, at: usize) -> Option<(usize, usize, (usize, String))> {
    let head = head_before(file, at)?;
    let start = head + file.get(head..)?.find('\n')? + 1;
    let lines = item_lines(file.get(start..)?);
    let first = lines.iter().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    let first = key_of(first)?.len();
    let length = lines.iter().map(|line| line.len()).sum::<usize>();
    Some((first, start, (length, with_indentation(&lines))))
}

/// The line that begins the item which holds `at`: a dash in the first column and the kind of item.
fn head_before(file: &str, at: usize) -> Option<usize> {
    let mut end = file.len().min(at);
    while !file.is_char_boundary(end) {
        end -= 1;
    }
    let end = file[end..].find('\n').map_or(file.len(), |more| end + more);
    let mut starts: Vec<_> =
        std::iter::once(0).chain(file[..end].match_indices('\n').map(|(i, _)| i + 1)).collect();
    starts.reverse();
    starts.into_iter().find(|start| begins_item(&file[*start..]))
}

fn begins_item(line: &str) -> bool {
    line.strip_prefix("- ").is_some_and(|rest| {
        KINDS.iter().any(|kind| rest.trim_start().strip_prefix(kind).is_some_and(|r| r.starts_with(':')))
    })
}

/// The key in the first column of a line, if it is one that stands below a dash.
fn key_of(line: &str) -> Option<&'static str> {
    let below_rule = rule::KEYS.into_iter().filter(|key| *key != "rule");
    below_rule.chain(OTHERS).find(|key| {
        line.strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace()))
    })
}

/// Whether a key's line opens a block: its value is `>` or `|`, perhaps with signs and a comment.
fn opens_block(line: &str) -> bool {
    let value = line.split_once(':').map_or("", |(_, value)| value.trim_start());
    value.starts_with(['>', '|'])
}

/// The lines of an item below its first, up to what does not belong to it.
fn item_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut block = false;
    let mut open = false;
    for line in text.split_inclusive('\n') {
        if begins_item(line) || line.starts_with("---") {
            break;
        }
        let blank = line.trim().is_empty();
        if key_of(line).is_some() {
            block = opens_block(line);
            open = line.trim_end().ends_with(':');
        } else if !(blank || block || open || line.starts_with([' ', '\t', '#'])) {
            break;
        }
        lines.push(line);
    }
    // What follows the last line of content belongs to the next item.
    while lines.last().is_some_and(|line| line.trim().is_empty() || line.starts_with('#')) {
        lines.pop();
    }
    lines
}

fn with_indentation(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if key_of(line).is_none() {
            push(&mut out, line, if line.starts_with(['#', ' ', '\t']) { 2 } else { 4 });
            continue;
        }
        push(&mut out, line, 2);
        if opens_block(line) {
            let block = lines[at..].iter().take_while(|line| key_of(line).is_none()).count();
            let block = &lines[at..at + block];
            let indents = block.iter().filter(|line| !line.trim().is_empty());
            let least =
                indents.map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0);
            for line in block {
                push(&mut out, line, 4_usize.saturating_sub(least));
            }
            at += block.len();
        }
    }
    out
}

fn push(out: &mut String, line: &str, blanks: usize) {
    if !line.trim().is_empty() {
        out.extend(std::iter::repeat_n(' ', blanks));
    }
    out.push_str(line);
}
