//! Exceptions of a rule, read for shape: names, fields, operators and values in one of two forms.

use rustc_hash::FxHashMap;

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

const KEYS: [&str; 4] = ["name", "fields", "comps", "values"];

impl Reader<'_> {
    #[expect(clippy::option_option, reason = "outer: readable; inner: present")]
    pub(super) fn exceptions(
        &mut self,
        keys: &Keys<'_>,
        rule: &Name,
        way: OverrideOp,
    ) -> Option<Option<Vec<ExceptionItem>>> {
        let Some(node) = keys.node("exceptions") else { return Some(None) };
        if node.is_null() {
            return Some(Some(Vec::new()));
        }
        let Kind::Sequence(nodes) = &node.kind else {
            return keys.wrong(self, "exceptions", node, "a sequence of mappings");
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
        fine.then_some(Some(items))
    }

    fn exception(
        &mut self,
        node: &Node,
        rule: &Name,
        way: OverrideOp,
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
        let name = keys.name(self, "name")?;
        let before = names.entry(name.text.clone()).or_default();
        for first in &*before {
            let found = Diagnostic::new(
                Code::ExceptionTwice,
                format!("two exceptions of this rule are called `{}`", name.text),
                name.span,
                "the second",
            )
            .see(*first, "the first")
            .of(ItemKind::Rule, &rule.text);
            self.push(found);
        }
        before.push(name.span);
        // Only what is appended to an exception may leave its fields out.
        if way == OverrideOp::Replace && keys.node("fields").is_none() {
            let found = Diagnostic::new(Code::MissingKey, "this exception has no `fields`", name.span, "");
            self.push(found.of(ItemKind::Rule, &rule.text));
        }
        let fields = match keys.node("fields") {
            None => None,
            Some(node) => self.exprs(node)?.map(|exprs| match exprs {
                Exprs::One(one) => FieldExprs::One(one),
                Exprs::Many(many) => FieldExprs::Many(many, node.span),
            }),
        };
        let comps = match keys.node("comps") {
            None => None,
            Some(node) => self.exprs(node)?.map(|exprs| match exprs {
                Exprs::One(one) => Comps::One(one),
                Exprs::Many(many) => Comps::Many(many, node.span),
            }),
        };
        let values = match keys.node("values") {
            None => {
                if way == OverrideOp::Append {
                    let message = format!("the appended exception `{}` brings no values", name.text);
                    let found = Diagnostic::new(Code::AppendNoValues, message, name.span, "");
                    self.push(found.of(ItemKind::Rule, &rule.text));
                }
                Vec::new()
            }
            Some(node) => {
                let Kind::Sequence(nodes) = &node.kind else {
                    return keys.wrong(self, "values", node, "a sequence");
                };
                let values: Option<Vec<_>> = nodes.iter().map(|node| self.value(node)).collect();
                values?
            }
        };
        let lacks_fields = way == OverrideOp::Replace && keys.node("fields").is_none();
        Some(ExceptionItem { name, lacks_fields, fields, comps, values })
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
