//! Exceptions of a rule, read for shape: names, fields, operators and values in one of two forms.

use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::keys::Keys;
use crate::items::{Name, Reader, Text};
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// One exception, or what an append brings for one.
#[derive(Clone, Debug)]
pub struct ExceptionItem {
    /// Its name.
    pub name: Name,
    /// Its left sides.
    pub fields: Option<FieldExprs>,
    /// Its operators.
    pub comps: Option<Comps>,
    /// Its values: in the tuple form one row a tuple, in the scalar form single values.
    pub values: Option<Vec<ExceptionValue>>,
}

/// The left sides.
#[derive(Clone, Debug)]
pub enum FieldExprs {
    /// The scalar form.
    One(Text),
    /// The tuple form.
    Many(Vec<Text>, Span),
}

/// The operators.
#[derive(Clone, Debug)]
pub enum Comps {
    /// The scalar form.
    One(Text),
    /// The tuple form.
    Many(Vec<Text>, Span),
}

/// A value, or several.
#[derive(Clone, Debug)]
pub enum ExceptionValue {
    /// One value.
    One(Text),
    /// A tuple, or the list at one place of a tuple.
    Many(Vec<ExceptionValue>, Span),
}

impl ExceptionValue {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::One(text) => text.span,
            Self::Many(_, span) => *span,
        }
    }
}

const KEYS: [&str; 4] = ["name", "fields", "comps", "values"];

impl Reader<'_> {
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    pub(super) fn exceptions(&mut self, keys: &Keys<'_>, rule: &Name) -> Option<Option<Vec<ExceptionItem>>> {
        let Some(node) = keys.node("exceptions") else { return Some(None) };
        if node.is_null() {
            return Some(Some(Vec::new()));
        }
        let Kind::Sequence(nodes) = &node.kind else {
            return keys.wrong(self, "exceptions", node, "a sequence of mappings");
        };
        let mut items: Vec<ExceptionItem> = Vec::new();
        let mut fine = true;
        for node in nodes {
            let Some(item) = self.exception(node) else {
                fine = false;
                continue;
            };
            if let Some(first) = items.iter().find(|seen| seen.name.text == item.name.text) {
                let found = Diagnostic::new(
                    Code::ExceptionTwice,
                    format!("two exceptions of this rule are called `{}`", item.name.text),
                    item.name.span,
                    "the second",
                )
                .see(first.name.span, "the first")
                .of(ItemKind::Rule, &rule.text);
                self.push(found);
            }
            items.push(item);
        }
        fine.then_some(Some(items))
    }

    fn exception(&mut self, node: &Node) -> Option<ExceptionItem> {
        let Kind::Mapping(pairs) = &node.kind else {
            self.push(Diagnostic::new(
                Code::WrongType,
                "an exception is a mapping with `name`, `fields`, `comps` and `values`",
                node.span,
                format!("this is {}", node.kind_word()),
            ));
            return None;
        };
        let keys = self.keys(pairs, ItemKind::Exception, &KEYS);
        let name = keys.name(self, "name")?;
        let fields = match keys.node("fields") {
            None => None,
            Some(node) => Some(match self.exprs(&keys, "fields", node)? {
                (Some(one), _) => FieldExprs::One(one),
                (None, many) => FieldExprs::Many(many, node.span),
            }),
        };
        let comps = match keys.node("comps") {
            None => None,
            Some(node) => Some(match self.exprs(&keys, "comps", node)? {
                (Some(one), _) => Comps::One(one),
                (None, many) => Comps::Many(many, node.span),
            }),
        };
        let values = match keys.node("values") {
            None => None,
            Some(node) if node.is_null() => Some(Vec::new()),
            Some(node) => {
                let Kind::Sequence(nodes) = &node.kind else {
                    return keys.wrong(self, "values", node, "a sequence");
                };
                let values: Option<Vec<_>> = nodes.iter().map(|node| self.value(&keys, node, 0)).collect();
                Some(values?)
            }
        };
        Some(ExceptionItem { name, fields, comps, values })
    }

    fn exprs(&mut self, keys: &Keys<'_>, key: &str, node: &Node) -> Option<(Option<Text>, Vec<Text>)> {
        match &node.kind {
            Kind::Scalar(_) => Some((Some(self.text(node)), Vec::new())),
            _ => Some((None, keys.texts(self, key)??)),
        }
    }

    fn value(&mut self, keys: &Keys<'_>, node: &Node, depth: u8) -> Option<ExceptionValue> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text.is_empty() => {
                let found =
                    Diagnostic::new(Code::MissingKey, "a value of an exception is empty", node.span, "");
                self.push(found);
                None
            }
            Kind::Scalar(_) => Some(ExceptionValue::One(self.text(node))),
            Kind::Sequence(nodes) if depth < 2 => {
                let values: Option<Vec<_>> = nodes.iter().map(|n| self.value(keys, n, depth + 1)).collect();
                Some(ExceptionValue::Many(values?, node.span))
            }
            _ => keys.wrong(self, "values", node, "single values, tuples, and lists within tuples"),
        }
    }
}
