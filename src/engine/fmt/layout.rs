//! A condition as lines: a text that fits stays on one line, else each part of an `and` or `or` gets a line of its own, and
//! long lists are wrapped. Words, quotes and parentheses stay as they were written; only blanks change.

use crate::syntax::ast::{Ast, CallArg, Check, NodeKind, Operand, OperandKind, Rhs};

/// The layout recurses, so deeper nesting than this is left alone; nobody writes a tenth of it by hand.
const MAX_DEPTH: usize = 100;
const STEP: usize = 2;

/// A condition with the parentheses that were written.
#[derive(Debug)]
pub(super) enum Tree {
    Leaf(Leaf),
    Paren(Box<Tree>),
    Not(Box<Tree>),
    /// The word that joins them, and two or more parts.
    Group(&'static str, Vec<Tree>),
}

/// A check or a macro: its text, cut where a list may be wrapped.
#[derive(Debug)]
pub(super) struct Leaf {
    /// Up to the list's parenthesis, or all there is.
    head: String,
    /// The items of the list in parentheses.
    items: Option<Vec<String>>,
}

enum Token {
    Leaf(Leaf),
    Word(&'static str),
}

/// Reads a condition that parsed without errors. Gives `None` when it cannot be laid out.
pub(super) fn read(text: &str, ast: &Ast) -> Option<Tree> {
    let mut leaves: Vec<_> = ast
        .nodes()
        .filter_map(|(_, node)| match &node.kind {
            NodeKind::Check(check) => Some((node.bytes.clone(), Some(check))),
            NodeKind::Macro(_) => Some((node.bytes.clone(), None)),
            _ => None,
        })
        .collect();
    leaves.sort_by_key(|(bytes, _)| bytes.start);
    let mut tokens = Vec::new();
    let mut at = 0;
    for (bytes, check) in leaves {
        let (start, end) = (bytes.start as usize, bytes.end as usize);
        words(text.get(at..start)?, &mut tokens)?;
        let leaf = match check {
            Some(check) => leaf(text, check)?,
            None => Leaf { head: text.get(start..end)?.to_owned(), items: None },
        };
        if leaf.texts().any(|text| text.contains(|c: char| c.is_control())) {
            return None;
        }
        tokens.push(Token::Leaf(leaf));
        at = end;
    }
    words(text.get(at..)?, &mut tokens)?;
    let mut tokens = tokens.into_iter().peekable();
    let tree = group("or", &mut tokens, 0)?;
    tokens.next().is_none().then_some(tree)
}

/// What stands between two leaves.
fn words(gap: &str, tokens: &mut Vec<Token>) -> Option<()> {
    let mut rest = gap.trim_start();
    while !rest.is_empty() {
        let word = ["(", ")", "and", "or", "not"].into_iter().find(|word| rest.starts_with(word))?;
        tokens.push(Token::Word(word));
        rest = rest[word.len()..].trim_start();
    }
    Some(())
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn next_is(tokens: &mut Tokens, wanted: &str) -> bool {
    tokens.next_if(|token| matches!(token, Token::Word(word) if *word == wanted)).is_some()
}

fn group(word: &'static str, tokens: &mut Tokens, depth: usize) -> Option<Tree> {
    let mut parts = Vec::new();
    loop {
        parts.push(if word == "or" { group("and", tokens, depth)? } else { part(tokens, depth)? });
        if !next_is(tokens, word) {
            break;
        }
    }
    if parts.len() == 1 { parts.pop() } else { Some(Tree::Group(word, parts)) }
}

fn part(tokens: &mut Tokens, depth: usize) -> Option<Tree> {
    if depth > MAX_DEPTH {
        return None;
    }
    match tokens.next()? {
        Token::Leaf(leaf) => Some(Tree::Leaf(leaf)),
        Token::Word("not") => Some(Tree::Not(Box::new(part(tokens, depth + 1)?))),
        Token::Word("(") => {
            let inner = group("or", tokens, depth + 1)?;
            next_is(tokens, ")").then(|| Tree::Paren(Box::new(inner)))
        }
        Token::Word(_) => None,
    }
}

fn leaf(text: &str, check: &Check) -> Option<Leaf> {
    let slice = |at: &std::ops::Range<u32>| text.get(at.start as usize..at.end as usize).map(str::to_owned);
    let mut head = format!("{} {}", operand(text, &check.lhs)?, slice(&check.op_bytes)?);
    if let Some(modifier) = check.modifier {
        head.push(' ');
        head.push_str(modifier.word());
    }
    let mut items = None;
    match &check.rhs {
        Rhs::None => {}
        Rhs::Value(value) => head = format!("{head} {}", slice(&value.at)?),
        Rhs::Field(field) => head = format!("{head} val({})", operand(text, field)?),
        Rhs::Call(call) => head = format!("{head} {}", operand(text, call)?),
        Rhs::List(values) => {
            let first = values.first().map(|value| value.at.start as usize);
            let between = first.map(|first| text.get(check.op_bytes.end as usize..first));
            let named = between.flatten().is_some_and(|between| !between.contains('('));
            let texts = values.iter().map(|value| slice(&value.at)).collect::<Option<Vec<_>>>()?;
            if named {
                head = format!("{head} {}", texts.first()?);
            } else {
                items = Some(texts);
            }
        }
    }
    Some(Leaf { head, items })
}

fn operand(text: &str, of: &Operand) -> Option<String> {
    let whole = text.get(of.bytes.start as usize..of.bytes.end as usize)?;
    let OperandKind::Call { name, args, pick } = &of.kind else { return Some(whole.to_owned()) };
    let pick = match pick {
        Some(pick) => format!("[{}]", text.get(pick.at.start as usize..pick.at.end as usize)?),
        None => String::new(),
    };
    Some(format!("{}({}){pick}", name.word(), call_args(text, args)?))
}

fn call_args(text: &str, args: &[CallArg]) -> Option<String> {
    let mut out = Vec::new();
    for arg in args {
        out.push(match arg {
            CallArg::Operand(inner) => operand(text, inner)?,
            CallArg::Constant(value) => text.get(value.at.start as usize..value.at.end as usize)?.to_owned(),
            CallArg::List(list) => format!("({})", call_args(text, list)?),
        });
    }
    Some(out.join(", "))
}

impl Leaf {
    fn texts(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.head).chain(self.items.iter().flatten())
    }
}

impl Tree {
    /// All on one line.
    pub(super) fn flat(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(Leaf { head, items: None }) => out.push_str(head),
            Self::Leaf(Leaf { head, items: Some(items) }) => {
                out.push_str(head);
                out.push_str(" (");
                out.push_str(&items.join(", "));
                out.push(')');
            }
            Self::Paren(inner) => {
                out.push('(');
                inner.write(out);
                out.push(')');
            }
            Self::Not(inner) => {
                out.push_str("not ");
                inner.write(out);
            }
            Self::Group(word, parts) => {
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                        out.push_str(word);
                        out.push(' ');
                    }
                    part.write(out);
                }
            }
        }
    }

    /// Lines of at most `width` characters where that can be had, without a common indentation. `lead` stands before it.
    pub(super) fn lines(&self, lead: &str, width: usize) -> Vec<String> {
        let mut out = Lines { width, done: Vec::new() };
        let lead = if lead.is_empty() { String::new() } else { format!("{lead} ") };
        out.tree(self, 0, lead);
        out.done
    }
}

struct Lines {
    width: usize,
    done: Vec<String>,
}

impl Lines {
    fn push(&mut self, indent: usize, text: &str) {
        self.done.push(format!("{}{text}", " ".repeat(indent)));
    }

    fn fits(&self, indent: usize, text: &str) -> bool {
        indent + text.chars().count() <= self.width
    }

    /// Writes a tree at an indentation; `lead` is what stands before it on its first line.
    fn tree(&mut self, tree: &Tree, indent: usize, lead: String) {
        let flat = format!("{lead}{}", tree.flat());
        if self.fits(indent, &flat) {
            self.push(indent, &flat);
            return;
        }
        match tree {
            Tree::Not(inner) => self.tree(inner, indent, lead + "not "),
            Tree::Paren(inner) => {
                self.push(indent, &(lead + "("));
                self.tree(inner, indent + STEP, String::new());
                self.push(indent, ")");
            }
            Tree::Group(word, parts) => {
                // Parts behind a lead belong together under it.
                let deeper = if lead.is_empty() { indent } else { indent + STEP };
                for (i, part) in parts.iter().enumerate() {
                    if i == 0 {
                        self.tree(part, indent, lead.clone());
                    } else {
                        self.tree(part, deeper, format!("{word} "));
                    }
                }
            }
            Tree::Leaf(Leaf { items: Some(items), head }) if items.len() > 1 => {
                self.push(indent, &format!("{lead}{head} ("));
                let mut line = String::new();
                for (i, item) in items.iter().enumerate() {
                    let comma = if i + 1 < items.len() { "," } else { "" };
                    let more = format!("{item}{comma}");
                    let joined = if line.is_empty() { more.clone() } else { format!("{line} {more}") };
                    if line.is_empty() || self.fits(indent + STEP, &joined) {
                        line = joined;
                    } else {
                        self.push(indent + STEP, &line);
                        line = more;
                    }
                }
                self.push(indent + STEP, &line);
                self.push(indent, ")");
            }
            Tree::Leaf(_) => self.push(indent, &flat),
        }
    }
}
