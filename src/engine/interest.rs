//! Conditions to the openings of files, the places and the sockets that could satisfy them: an over-approximation for the sensor.
//!
//! Every node of the typed form gets two answers, the openings for which it may hold and those for which it may fail; `and`
//! meets, `or` joins, `not` swaps. A test that says nothing about an opening's path, way or program admits all. What is
//! said of paths is said of their textual form, which the kernel half can make from what the caller gave, or of the path of the file
//! that was opened, which it can walk.

use eyas_event::{
    Among, Arg, Domains, EventSet, EventType, FieldId, FieldRef, OpenWant, Opens, PathTest, Ways,
};

use crate::ir::{Arena, Ir, IrId, Operand, Predicate};
use crate::ruleset::Rule;
use crate::syntax::ast::Op;

/// The openings that could satisfy one of the conditions.
pub(crate) fn opens(arena: &Arena, roots: impl IntoIterator<Item = IrId>) -> Opens {
    let sides = sides(arena, test);
    roots.into_iter().fold(Opens::none(), |all, root| all.or(&sides[root.0 as usize].0))
}

/// What could satisfy one of the conditions, by where it happens.
pub(crate) fn places(arena: &Arena, roots: impl IntoIterator<Item = IrId>) -> Places {
    let sides = sides(arena, place);
    roots.into_iter().fold(Places::none(), |all, root| all.or(&sides[root.0 as usize].0))
}

/// What a condition may hold for, or may fail for.
trait Reach: Clone {
    fn all() -> Self;
    fn none() -> Self;
    fn and(&self, other: &Self) -> Self;
    fn or(&self, other: &Self) -> Self;
}

impl Reach for Opens {
    fn all() -> Self {
        Self::all()
    }

    fn none() -> Self {
        Self::none()
    }

    fn and(&self, other: &Self) -> Self {
        self.and(other)
    }

    fn or(&self, other: &Self) -> Self {
        self.or(other)
    }
}

/// Event types on the host, and of the calls of `socket` the address families.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) host: EventSet,
    pub(crate) domains: Domains,
}

impl Reach for Places {
    fn all() -> Self {
        Self { host: EventSet::all(), domains: Domains::ALL }
    }

    fn none() -> Self {
        Self { host: EventSet::empty(), domains: Domains::NONE }
    }

    fn and(&self, other: &Self) -> Self {
        Self { host: self.host.and(other.host), domains: self.domains.and(other.domains) }
    }

    fn or(&self, other: &Self) -> Self {
        Self { host: self.host.or(other.host), domains: self.domains.or(other.domains) }
    }
}

/// For each node what it may hold for, and what it may fail for.
fn sides<R: Reach>(arena: &Arena, test: impl Fn(&Predicate) -> (R, R)) -> Vec<(R, R)> {
    let mut sides: Vec<(R, R)> = Vec::with_capacity(arena.nodes().len());
    for node in arena.nodes() {
        let side = match node {
            Ir::Constant(true) => (R::all(), R::none()),
            Ir::Constant(false) => (R::none(), R::all()),
            Ir::Test(id) => test(&arena.predicates()[id.0 as usize]),
            Ir::Not(inner) => {
                let (holds, fails) = &sides[inner.0 as usize];
                (fails.clone(), holds.clone())
            }
            Ir::And(parts) => fold(parts, &sides, |(h, f), (holds, fails)| (h.and(holds), f.or(fails)), true),
            Ir::Or(parts) => fold(parts, &sides, |(h, f), (holds, fails)| (h.or(holds), f.and(fails)), false),
        };
        sides.push(side);
    }
    sides
}

/// The variables of environments that a rule has a use for.
pub(crate) struct Environment {
    /// Those that its condition asks for: in brackets, or at the begin of a text that `proc.env` or `proc.aenv` is compared with
    /// (`GLIBC_TUNABLES`, `HTTP_PROXY=http://`).
    pub(crate) asked: Vec<Box<[u8]>>,
    /// Those that its output prints: in brackets; all that its condition asks for where it prints an environment as a whole.
    pub(crate) printed: Vec<Box<[u8]>>,
    /// Whether it compares an environment as a whole and names no variable with that.
    pub(crate) nameless: bool,
    /// Whether its output prints an environment as a whole, of which its condition names no variable.
    pub(crate) prints_nothing: bool,
}

impl Environment {
    /// Of a rule and its condition.
    pub(crate) fn of(arena: &Arena, root: IrId, rule: &Rule) -> Self {
        let mut own = Self { asked: Vec::new(), printed: Vec::new(), nameless: false, prints_nothing: false };
        for predicate in reached(arena, [root]) {
            let mut bare = false;
            for field in predicate.fields().into_iter().filter(|field| is_environment(field.id)) {
                match variable(field) {
                    Some(name) => own.asked.push(name.into()),
                    None => bare = true,
                }
            }
            if bare {
                let texts = match &predicate.operand {
                    Operand::Bytes(text) => std::slice::from_ref(text),
                    Operand::Texts(texts) => texts,
                    _ => &[],
                };
                let before = own.asked.len();
                own.asked.extend(texts.iter().filter_map(|text| leading_name(text)));
                own.nameless |= texts.is_empty() || own.asked.len() < before + texts.len();
            }
        }
        own.asked.sort_unstable();
        own.asked.dedup();
        for field in rule.template.fields().filter(|field| is_environment(field.id)) {
            if let Some(name) = variable(field) {
                own.printed.push(name.into());
            } else {
                own.printed.extend_from_slice(&own.asked);
                own.prints_nothing |= own.asked.is_empty();
            }
        }
        own.printed.sort_unstable();
        own.printed.dedup();
        own
    }

    /// All of them, each once, and whether the condition asks for it.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let only_printed = self.printed.iter().filter(|name| self.asked.binary_search(name).is_err());
        let asked = self.asked.iter().map(|name| (&**name, true));
        asked.chain(only_printed.map(|name| (&**name, false)))
    }
}

fn is_environment(field: FieldId) -> bool {
    matches!(field, FieldId::PROC_ENV | FieldId::PROC_AENV)
}

/// The variable that a field of environments names. A number in its place means an environment as a whole.
fn variable(field: &FieldRef) -> Option<&[u8]> {
    match &field.arg {
        Arg::Key(name) if !name.bytes().all(|byte| byte.is_ascii_digit()) => Some(name.as_bytes()),
        _ => None,
    }
}

/// The host names that conditions compare the ends of connections with, sorted. Only of what these roots reach: nobody is
/// to be asked for the names of rules that are off.
pub(crate) fn hosts(arena: &Arena, roots: impl IntoIterator<Item = IrId>) -> Box<[Box<str>]> {
    let mut names: Vec<Box<str>> = Vec::new();
    for predicate in reached(arena, roots) {
        let is_name = predicate.term.field().is_some_and(|field| HOST_NAMES.contains(&field.id));
        let texts = match &predicate.operand {
            Operand::Bytes(text) if is_name => std::slice::from_ref(text),
            Operand::Texts(texts) if is_name => texts,
            _ => &[],
        };
        names.extend(texts.iter().filter_map(|text| std::str::from_utf8(text).ok()).map(Into::into));
    }
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names.into()
}

/// The tests below these nodes.
fn reached(arena: &Arena, roots: impl IntoIterator<Item = IrId>) -> Vec<&Predicate> {
    let mut seen = vec![false; arena.nodes().len()];
    let mut open: Vec<IrId> = roots.into_iter().collect();
    let mut tests = Vec::new();
    while let Some(IrId(at)) = open.pop() {
        if std::mem::replace(&mut seen[at as usize], true) {
            continue;
        }
        match &arena.nodes()[at as usize] {
            Ir::Constant(_) => {}
            Ir::Not(inner) => open.push(*inner),
            Ir::And(parts) | Ir::Or(parts) => open.extend_from_slice(parts),
            Ir::Test(id) => tests.push(&arena.predicates()[id.0 as usize]),
        }
    }
    tests
}

/// The fields that are compared with names of hosts.
const HOST_NAMES: [FieldId; 4] =
    [FieldId::FD_CIP_NAME, FieldId::FD_SIP_NAME, FieldId::FD_LIP_NAME, FieldId::FD_RIP_NAME];

/// The name that a text begins with, as names of variables are written.
fn leading_name(text: &[u8]) -> Option<Box<[u8]>> {
    let end = text.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).unwrap_or(text.len());
    (end > 0).then(|| text[..end].into())
}

fn fold<R: Reach>(
    parts: &[IrId],
    sides: &[(R, R)],
    join: impl Fn((R, R), &(R, R)) -> (R, R),
    and: bool,
) -> (R, R) {
    let neutral = if and { (R::all(), R::none()) } else { (R::none(), R::all()) };
    parts.iter().fold(neutral, |side, part| join(side, &sides[part.0 as usize]))
}

/// Where one test may hold and where it may fail.
fn test(predicate: &Predicate) -> (Opens, Opens) {
    if let Operand::Events(set) = &predicate.operand {
        let others = |t: &EventType| t.is_open_family() && *t != EventType::CREAT;
        let others: EventSet = EventType::all().filter(others).collect();
        let ways = |set: EventSet| {
            let creat = if set.contains(EventType::CREAT) { Ways::CREAT } else { Ways::NONE };
            let other = if set.and(others).is_empty() { Ways::NONE } else { Ways::CREAT.complement() };
            Opens::one(OpenWant { ways: creat.or(other), ..OpenWant::ALL })
        };
        return (ways(*set), ways(set.complement()));
    }
    // What is worked out from fields says nothing that the kernel half could ask, nor do comparisons with other fields.
    let plain = predicate.term.field().filter(|field| field.arg == Arg::None && predicate.modifier.is_none());
    let Some(id) = plain.map(|field| field.id) else { return (Opens::all(), Opens::all()) };
    if let Some(ways) = ways(id, predicate) {
        let way = |ways| Opens::one(OpenWant { ways, ..OpenWant::ALL });
        return (way(ways), way(ways.complement()));
    }
    let holds = match id {
        FieldId::FD_NAME => paths(predicate, path_test).map_or_else(Opens::all, of_path),
        FieldId::FD_DIRECTORY => paths(predicate, directory_test).map_or_else(Opens::all, of_path),
        FieldId::FD_FILENAME => paths(predicate, filename_test).map_or_else(Opens::all, of_path),
        // As given, a path has doubled slashes and the like, so its components say nothing of how it begins.
        FieldId::FD_NAMERAW if predicate.op != Op::Pmatch => paths(predicate, path_test)
            .map_or_else(Opens::all, |given| Opens::one(OpenWant { given, ..OpenWant::ALL })),
        FieldId::FD_REALPATH => paths(predicate, path_test)
            .map_or_else(Opens::all, |real| Opens::one(OpenWant { real, ..OpenWant::ALL })),
        FieldId::PROC_NAME => names(predicate),
        _ => Opens::all(),
    };
    (holds, Opens::all())
}

/// Where one test may hold and where it may fail: of which types on the host, and for which sockets.
fn place(predicate: &Predicate) -> (Places, Places) {
    let all = Places::all();
    if let Operand::Events(set) = &predicate.operand {
        let of = |set: EventSet| {
            let domains = if set.contains(EventType::SOCKET) { Domains::ALL } else { Domains::NONE };
            Places { host: set, domains }
        };
        return (of(*set), of(set.complement()));
    }
    let (Some(field), None) = (predicate.term.field(), predicate.modifier) else { return (all.clone(), all) };
    match (&predicate.operand, predicate.op, &field.arg) {
        // A process of the host has this very text here.
        (Operand::Bytes(text), op @ (Op::Eq | Op::Ne), Arg::None)
            if field.id == FieldId::CONTAINER_ID && **text == *b"host" =>
        {
            let elsewhere = Places { host: EventSet::empty(), ..all.clone() };
            if op == Op::Eq { (all, elsewhere) } else { (elsewhere, all) }
        }
        (operand, op, Arg::Param(param)) if field.id == FieldId::EVT_ARG && param.name() == "domain" => {
            let Some(holds) = domains(operand, op) else { return (all.clone(), all) };
            (Places { domains: holds, ..all.clone() }, all)
        }
        _ => (all.clone(), all),
    }
}

/// The address families whose names pass.
fn domains(operand: &Operand, op: Op) -> Option<Domains> {
    let texts = match operand {
        Operand::Bytes(text) => std::slice::from_ref(text),
        Operand::Texts(texts) => texts,
        _ => return None,
    };
    if !matches!(op, Op::Eq | Op::In | Op::Contains | Op::Startswith | Op::Endswith) {
        return None;
    }
    let tests: Option<Vec<Vec<PathTest>>> = texts.iter().map(|text| path_test(op, text)).collect();
    let tests = tests?.concat();
    Some(Domains::named(|name| tests.iter().any(|test| test.admits(name))))
}

/// The ways for which a test holds, when it is about nothing but the way.
fn ways(id: FieldId, predicate: &Predicate) -> Option<Ways> {
    let op = predicate.op;
    match (&predicate.operand, op) {
        (Operand::Bool(is), Op::Eq | Op::Ne) => {
            let ways = match id {
                FieldId::EVT_IS_OPEN_READ => Ways::READ,
                FieldId::EVT_IS_OPEN_WRITE => Ways::WRITE,
                FieldId::EVT_IS_OPEN_CREATE => Ways::CREATED,
                FieldId::EVT_FAILED => Ways::MADE.complement(),
                _ => return None,
            };
            Some(if *is == (op == Op::Eq) { ways } else { ways.complement() })
        }
        // The descriptor is below zero exactly when the call failed.
        (Operand::Number(n), _) if matches!(id, FieldId::FD_NUM | FieldId::EVT_RAWRES) => match (op, n) {
            (Op::Ge, 0) | (Op::Gt, -1) => Some(Ways::MADE),
            (Op::Lt, 0) | (Op::Le, -1) => Some(Ways::MADE.complement()),
            _ => None,
        },
        _ => None,
    }
}

fn of_path(path: Among<PathTest>) -> Opens {
    Opens::one(OpenWant { path, ..OpenWant::ALL })
}

/// The tests that the constants become; `None` when a constant becomes none.
fn paths(predicate: &Predicate, one: impl Fn(Op, &[u8]) -> Option<Vec<PathTest>>) -> Option<Among<PathTest>> {
    let constants: Vec<&[u8]> = match &predicate.operand {
        Operand::Bytes(text) => vec![text],
        Operand::Texts(texts) => texts.iter().map(|text| &**text).collect(),
        _ => return None,
    };
    let tests: Option<Vec<_>> = constants.into_iter().map(|text| one(predicate.op, text)).collect();
    let mut tests = tests?.concat();
    tests.sort_unstable();
    tests.dedup();
    Some(Among::These(tests.into()))
}

fn path_test(op: Op, text: &[u8]) -> Option<Vec<PathTest>> {
    Some(match op {
        Op::Eq | Op::In => vec![PathTest::Is(text.into())],
        Op::Startswith => vec![PathTest::Begins(text.into())],
        Op::Endswith => vec![PathTest::Ends(text.into())],
        Op::Contains => vec![PathTest::Holds(text.into())],
        Op::Glob => vec![match literal(text) {
            [] | b"/" => PathTest::Holds(longest_literal(text).into()),
            begin => PathTest::Begins(begin.into()),
        }],
        Op::Pmatch => {
            let bare = literal_components(text);
            let rooted = [b"/", &*bare].concat();
            if bare.is_empty() || literal(text).len() < text.len() {
                return Some(vec![PathTest::Begins(rooted.into()), PathTest::Begins(bare.into())]);
            }
            let below =
                |path: Vec<u8>| [PathTest::Begins([&*path, b"/"].concat().into()), PathTest::Is(path.into())];
            [below(rooted), below(bare)].concat()
        }
        _ => return None,
    })
}

fn directory_test(op: Op, text: &[u8]) -> Option<Vec<PathTest>> {
    matches!(op, Op::Eq | Op::In | Op::Startswith).then(|| vec![PathTest::Begins(text.into())])
}

fn filename_test(op: Op, text: &[u8]) -> Option<Vec<PathTest>> {
    let test = match op {
        Op::Eq | Op::In | Op::Endswith => PathTest::Ends(text.into()),
        Op::Startswith | Op::Contains => PathTest::Holds(text.into()),
        Op::Glob => PathTest::Holds(longest_literal(text).into()),
        _ => return None,
    };
    Some(vec![test])
}

/// What stands before the first byte with a meaning in a pattern.
fn literal(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|b| matches!(b, b'*' | b'?' | b'[' | b'\\')).unwrap_or(pattern.len());
    &pattern[..end]
}

/// The longest stretch of a pattern without a byte with a meaning: every text that matches holds it. Behind a bracket or a
/// backslash it is not looked for.
fn longest_literal(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|b| matches!(b, b'[' | b'\\')).unwrap_or(pattern.len());
    pattern[..end].split(|b| matches!(b, b'*' | b'?')).max_by_key(|part| part.len()).unwrap_or_default()
}

/// The components of a path pattern up to the first byte with a meaning, joined anew: doubled slashes and those at the
/// ends do not count in a pattern.
fn literal_components(pattern: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for component in pattern.split(|b| *b == b'/').filter(|c| !c.is_empty()) {
        if !out.is_empty() {
            out.push(b'/');
        }
        let plain = literal(component);
        out.extend_from_slice(plain);
        if plain.len() < component.len() {
            break;
        }
    }
    out
}

fn names(predicate: &Predicate) -> Opens {
    let names: Vec<Box<[u8]>> = match (&predicate.operand, predicate.op) {
        (Operand::Bytes(name), Op::Eq) => vec![name.clone()],
        (Operand::Texts(names), Op::In) => names.clone(),
        _ => return Opens::all(),
    };
    Opens::one(OpenWant { comm: Among::These(names.into()), ..OpenWant::ALL })
}
