//! Lints on whole rules: they are legal by themselves, and what else is loaded, or what the whole condition asks, makes them do
//! less than they seem to.

use eyas_event::{EventSet, EventType, FieldId, Variables};
use rustc_hash::FxHashSet;

use crate::collect::{Collection, RuleDef};
use crate::diag::{Code, Diagnostic, ItemKind};
use crate::ir::{Arena, Ir, IrId};
use crate::ruleset::{Matching, Rule};
use crate::source::Span;

/// A rule that the lowest priority leaves out.
pub(crate) fn below_least(def: &RuleDef, least: eyas_event::Priority) -> Diagnostic {
    let message = format!("this rule is less urgent than {}, and is left out", least.name());
    Diagnostic::new(Code::BelowLeast, message, def.name.span, def.priority.name())
        .note("the lowest priority counts for all files: the key `priority` of the configuration, or `-o priority=…`")
        .of(ItemKind::Rule, &def.name.text)
}

/// Why what a rule asks of an environment is never sent.
pub(crate) enum NotSent<'n> {
    /// It is compared as a whole, with what names no variable.
    Nameless,
    /// It is printed as a whole, and the condition names no variable.
    PrintsNothing,
    /// The name is longer than the sensor looks.
    TooLong(&'n [u8]),
    /// Rules before it name as many as can be sent.
    TooMany(&'n [u8]),
}

/// A rule whose condition asks an environment for what is never sent, or whose output alone does.
pub(crate) fn variable(rule: &Rule, collection: &Collection, why: &NotSent<'_>, asked: bool) -> Diagnostic {
    let (most, longest) = (Variables::MAX, Variables::NAME_MAX);
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let (message, note) = match why {
        NotSent::Nameless => (
            "this compares an environment as a whole, and names no variable of it".to_owned(),
            "only the variables that rules name are seen: write `proc.env[NAME]`, or begin the text with the name, as in `proc.env icontains HTTP_PROXY`".to_owned(),
        ),
        NotSent::PrintsNothing => (
            "the output prints an environment as a whole, and the condition names no variable of it".to_owned(),
            "an output prints the variables that its rule names: write `%proc.env[NAME]`".to_owned(),
        ),
        NotSent::TooLong(name) => (
            format!("the variable `{}` is never seen: its name is too long", text(name)),
            format!("names of variables have at most {longest} bytes here"),
        ),
        NotSent::TooMany(name) => (
            format!("the variable `{}` is never seen: there are too many", text(name)),
            format!("the rules that are on may name {most} variables of environments; switch off a rule that names some"),
        ),
    };
    let place = place(rule, collection);
    let (code, label) =
        if asked { (Code::VariableNotSent, "") } else { (Code::OutputNotProvided, "prints nothing of it") };
    Diagnostic::new(code, message, place, label).note(note).of(ItemKind::Rule, &*rule.name)
}

/// Where a rule is named.
fn place(rule: &Rule, collection: &Collection) -> Span {
    let def = collection.rules.iter().find(|def| def.name.text == *rule.name);
    def.map_or(rule.span, |def| def.name.span)
}

/// Looks at every compiled rule; `roots` are their conditions.
pub(crate) fn check(
    arena: &Arena,
    rules: &[Rule],
    roots: &[IrId],
    matching: Matching,
    collection: &Collection,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let place = |rule: &Rule| place(rule, collection);
    for (rule, root) in rules.iter().zip(roots) {
        if open_alone(rule.events) && reads_failure(arena, *root) {
            diagnostics.push(
                Diagnostic::new(
                    Code::OpenAlone,
                    "this asks for opens that failed, and looks at `open` alone",
                    place(rule),
                    "",
                )
                .note("programs open files with `openat`: write `evt.type in (open, openat, openat2)`")
                .of(ItemKind::Rule, &*rule.name),
            );
        }
    }
    if matching == Matching::First {
        shadowed(arena, rules, roots, &place, diagnostics);
    }
}

fn open_alone(events: EventSet) -> bool {
    let has = |name| EventType::from_name(name).is_some_and(|event| events.contains(event));
    has("open") && !has("openat") && !has("openat2")
}

/// Whether a condition reads what a call returned.
fn reads_failure(arena: &Arena, root: IrId) -> bool {
    let mut waiting = vec![root];
    let mut seen = FxHashSet::default();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        match arena.node(id) {
            Ir::Constant(_) => {}
            Ir::Not(inner) => waiting.push(*inner),
            Ir::And(parts) | Ir::Or(parts) => waiting.extend(parts.iter()),
            Ir::Test(test) => {
                let fields = arena.predicates()[test.0 as usize].fields();
                let failure = [FieldId::EVT_FAILED, FieldId::EVT_RES, FieldId::EVT_RAWRES];
                if fields.iter().any(|field| failure.contains(&field.id)) {
                    return true;
                }
            }
        }
    }
    false
}

/// Where only the first rule that matches answers: rules whose condition asks all that an earlier one asks, and more.
fn shadowed(
    arena: &Arena,
    rules: &[Rule],
    roots: &[IrId],
    place: &dyn Fn(&Rule) -> Span,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let parts: Vec<FxHashSet<IrId>> = roots
        .iter()
        .map(|root| match arena.node(*root) {
            Ir::And(parts) => parts.iter().copied().collect(),
            _ => FxHashSet::from_iter([*root]),
        })
        .collect();
    for (i, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.enabled) {
        let before = rules[..i].iter().zip(&parts).find(|(first, asked)| {
            first.enabled && first.source == rule.source && asked.is_subset(&parts[i])
        });
        let Some((first, _)) = before else { continue };
        diagnostics.push(
            Diagnostic::new(
                Code::Shadowed,
                format!("`{}` answers to every event of this rule first", first.name),
                place(rule),
                "never fires",
            )
            .see(place(first), "this rule asks for less")
            .note("only the first rule that matches answers: put the narrower one first, or let all rules match")
            .of(ItemKind::Rule, &*rule.name),
        );
    }
}
