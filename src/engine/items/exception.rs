//! Exceptions of a rule, read for shape: names, fields, operators and values in one of two forms.

use rustc_hash::FxHashMap;

use crate::collect::FIELDS_EXAMPLE;
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::items::keys::Keys;
use crate::items::{Name, OverrideOp, Reader, Text};
use crate::source::Span;
use crate::syntax::text::Spliced;
use crate::yaml::{Kind, Node};

/// One exception, or what an append brings for one.
#[derive(Clone, Debug)]
pub struct ExceptionItem {
    /// Its name.
    pub name: Name,
    /// Whether it was reported that it has no left sides.
    pub lacks_fields: bool,
    /// Its left sides.
    pub fields: Option<FieldExprs>,
    /// Its operators.
    pub comps: Option<Comps>,
    /// Its values: in the tuple form one row a tuple, in the scalar form single values.
    pub values: Vec<ExceptionValue>,
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
    /// The exceptions that could be read, where there is the key, and whether none of them failed. `way` says what becomes of
    /// them, where that is known.
    pub(super) fn exceptions(
        &mut self,
        keys: &Keys<'_>,
        rule: &Name,
        way: Option<OverrideOp>,
    ) -> (Option<Vec<ExceptionItem>>, bool) {
        let Some(node) = keys.node("exceptions") else { return (None, true) };
        if node.is_null() {
            return (Some(Vec::new()), true);
        }
        let Kind::Sequence(nodes) = &node.kind else {
            keys.wrong::<()>(self, "exceptions", node, "a sequence of mappings");
            return (None, false);
        };
        let mut items: Vec<ExceptionItem> = Vec::new();
        let mut names: FxHashMap<String, Vec<Span>> = FxHashMap::default();
        let mut fine = true;
        for node in nodes {
            let Some(item) = self.exception(node, rule, way, &mut names) else {
                fine = false;
                continue;
            };
            items.push(item);
        }
        (Some(items), fine)
    }

    fn exception(
        &mut self,
        node: &Node,
        rule: &Name,
        way: Option<OverrideOp>,
        names: &mut FxHashMap<String, Vec<Span>>,
    ) -> Option<ExceptionItem> {
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
        let at = name.as_ref().map_or(keys.span, |name| name.span);
        if let Some(name) = &name {
            let before = names.entry(name.text.clone()).or_default();
            for first in &*before {
                let found = Diagnostic::new(
                    Code::ExceptionTwice,
                    format!("two exceptions of this rule are called `{}`", name.text),
                    name.span,
                    "the second",
                )
                .see(*first, "the first")
                .note("both count, and an append reaches the first; give one of them another name")
                .of(ItemKind::Rule, &rule.text);
                self.push(found);
            }
            before.push(name.span);
        }
        // Only what is appended to an exception may leave its fields out.
        let lacks_fields = way == Some(OverrideOp::Replace) && keys.node("fields").is_none();
        if lacks_fields {
            let found = Diagnostic::new(Code::MissingKey, "this exception has no `fields`", at, "");
            self.push(found.note(FIELDS_EXAMPLE).of(ItemKind::Rule, &rule.text));
        }
        let fields = match keys.node("fields") {
            None => Some(None),
            Some(node) => self.exprs(node).map(|exprs| {
                exprs.map(|exprs| match exprs {
                    Exprs::One(one) => FieldExprs::One(one),
                    Exprs::Many(many) => FieldExprs::Many(many, node.span),
                })
            }),
        };
        let comps = match keys.node("comps") {
            None => Some(None),
            Some(node) => self.exprs(node).map(|exprs| {
                exprs.map(|exprs| match exprs {
                    Exprs::One(one) => Comps::One(one),
                    Exprs::Many(many) => Comps::Many(many, node.span),
                })
            }),
        };
        let values = match keys.node("values") {
            None => {
                if let (Some(OverrideOp::Append), Some(name)) = (way, &name) {
                    let message = format!("the appended exception `{}` brings no values", name.text);
                    let found = Diagnostic::new(Code::AppendNoValues, message, at, "")
                        .note("add `values`, or take the exception out");
                    self.push(found.of(ItemKind::Rule, &rule.text));
                }
                Some(Vec::new())
            }
            Some(node) => match &node.kind {
                Kind::Sequence(nodes) => {
                    let values: Vec<_> = nodes.iter().map(|node| self.value(node)).collect();
                    values.into_iter().collect::<Option<Vec<_>>>()
                }
                _ => keys.wrong(self, "values", node, "a sequence"),
            },
        };
        Some(ExceptionItem { name: name?, lacks_fields, fields: fields?, comps: comps?, values: values? })
    }

    /// One text or a sequence of them; nothing, and a mapping, count as if they were not there.
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    fn exprs(&mut self, node: &Node) -> Option<Option<Exprs>> {
        match &node.kind {
            _ if node.is_null() => Some(None),
            Kind::Mapping(_) => Some(None),
            Kind::Sequence(nodes) if nodes.is_empty() => Some(None),
            Kind::Scalar(scalar) if scalar.text.is_empty() => {
                self.push(Diagnostic::new(
                    Code::MissingKey,
                    "a part of an exception is empty",
                    node.span,
                    "",
                ));
                None
            }
            Kind::Scalar(_) => Some(Some(Exprs::One(self.text(node)))),
            Kind::Sequence(nodes) => {
                let mut texts = Vec::with_capacity(nodes.len());
                for node in nodes {
                    match self.exprs(node)? {
                        Some(Exprs::One(text)) => texts.push(text),
                        // What is no text cannot be a field or an operator; it is reported as one that does not exist.
                        _ => texts.push(Text { spliced: Spliced::empty(), span: node.span }),
                    }
                }
                Some(Some(Exprs::Many(texts)))
            }
        }
    }

    fn value(&mut self, node: &Node) -> Option<ExceptionValue> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text.is_empty() && !node.is_null() => {
                let found =
                    Diagnostic::new(Code::MissingKey, "a value of an exception is empty", node.span, "");
                self.push(found);
                None
            }
            Kind::Scalar(_) if !node.is_null() => Some(ExceptionValue::One(self.text(node))),
            Kind::Sequence(nodes) => {
                let values: Option<Vec<_>> = nodes.iter().map(|node| self.value(node)).collect();
                Some(ExceptionValue::Many(values?, node.span))
            }
            // Nothing, and a mapping, are put in as nothing.
            _ => Some(ExceptionValue::One(Text { spliced: Spliced::empty(), span: node.span })),
        }
    }
}

/// One text or several.
enum Exprs {
    One(Text),
    Many(Vec<Text>),
}
