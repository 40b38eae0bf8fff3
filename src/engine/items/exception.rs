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

static KEYS: [&str; 4] = ["name", "fields", "comps", "values"];

impl Reader<'_> {
    /// The exceptions that could be read, where there is the key, and whether none of them failed.
    pub(super) fn exceptions(&mut self, keys: &Keys<'_>, rule: &Name) -> (Option<Vec<ExceptionItem>>, bool) {
        let Some(node) = keys.node("exceptions") else { return (None, true) };
        if node.is_null() {
            return (Some(Vec::new()), true);
        }
        let Kind::Sequence(nodes) = &node.kind else {
            keys.wrong::<()>(self, "exceptions", node, "a sequence of mappings");
            return (None, false);
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
                .note("both count, and an append reaches the first; give one of them another name")
                .of(ItemKind::Rule, &rule.text);
                self.push(found);
            }
            items.push(item);
        }
        (Some(items), fine)
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
        // All parts are read before the first that failed ends it.
        let name = keys.name(self, "name");
        let exprs = |reader: &mut Self, key: &str| match keys.node(key) {
            None => Some(None),
            Some(node) => reader.exprs(&keys, key, node).map(|(one, many)| Some((one, many, node.span))),
        };
        let fields = exprs(self, "fields");
        let comps = exprs(self, "comps");
        let values = match keys.node("values") {
            None => Some(None),
            Some(node) if node.is_null() => Some(Some(Vec::new())),
            Some(node) => match &node.kind {
                Kind::Sequence(nodes) => {
                    let values: Vec<_> = nodes.iter().map(|node| self.value(&keys, node, 0)).collect();
                    values.into_iter().collect::<Option<Vec<_>>>().map(Some)
                }
                _ => keys.wrong(self, "values", node, "a sequence"),
            },
        };
        Some(ExceptionItem {
            name: name?,
            fields: fields?
                .map(|(one, many, span)| one.map_or(FieldExprs::Many(many, span), FieldExprs::One)),
            comps: comps?.map(|(one, many, span)| one.map_or(Comps::Many(many, span), Comps::One)),
            values: values?,
        })
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
