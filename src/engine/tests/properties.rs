//! Laws: printing and parsing a tree gives the tree; no text makes a stage panic; the compiled program answers as a plain
//! walk over the tree does.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use eyas_engine::syntax::ast::{
    Ast, CallArg, Check, Modifier, NodeId, NodeKind, Op, Operand, OperandKind, Rhs, Transformer, Value,
};
use eyas_engine::syntax::{Parsed, parse};
use eyas_engine::{Dialect, FieldMap, Filter, Loader, Matching, Ruleset, Scratch, SourceFile, format};
use proptest::prelude::*;

/// A condition as the strategies make it.
#[derive(Clone, Debug)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Check(Check),
    Macro(String),
}

fn tree(leaf: impl Strategy<Value = Tree> + 'static) -> impl Strategy<Value = Tree> {
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Or),
            inner.prop_map(|tree| Tree::Not(Box::new(tree))),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let bytes = prop_oneof![
        "[a-zA-Z0-9/._-]{1,8}".prop_map(String::into_bytes),
        prop::collection::vec(1_u8.., 0..8),
        Just(b"a\\b \"c\" 'd'\n".to_vec()),
    ];
    (bytes, any::<bool>()).prop_map(|(bytes, quoted)| Value { bytes, quoted, at: 0..0 })
}

fn operand() -> impl Strategy<Value = Operand> {
    let field = (
        prop::sample::select(vec!["proc.name", "evt.arg.flags", "a.b", "fd.sip.name", "4x.y_z"]),
        prop::option::of(prop_oneof![
            "[a-zA-Z0-9/.*-]{1,6}".prop_map(|s| Value { bytes: s.into_bytes(), quoted: false, at: 0..0 }),
            "[a-z ]{0,5}".prop_map(|s| Value { bytes: s.into_bytes(), quoted: true, at: 0..0 }),
        ]),
    )
        .prop_map(|(name, arg)| Operand {
            kind: OperandKind::Field { name: name.to_owned(), arg },
            bytes: 0..0,
        });
    field.prop_recursive(3, 8, 2, |inner| {
        let constant = value().prop_map(|v| CallArg::Constant(Value { quoted: true, ..v }));
        let one = (prop::sample::select(vec![Transformer::Tolower, Transformer::Len]), inner.clone())
            .prop_map(|(name, arg)| (name, vec![CallArg::Operand(arg)]));
        let many = (
            prop::sample::select(vec![Transformer::Join, Transformer::Concat, Transformer::Getopt]),
            prop::collection::vec(
                prop_oneof![
                    inner.clone().prop_map(CallArg::Operand),
                    constant,
                    prop::collection::vec(inner.prop_map(CallArg::Operand), 1..3).prop_map(CallArg::List),
                ],
                1..4,
            ),
        );
        prop_oneof![one, many].prop_map(|(name, args)| Operand {
            kind: OperandKind::Call { name, args, pick: None },
            bytes: 0..0,
        })
    })
}

fn check() -> impl Strategy<Value = Check> {
    let op = prop::sample::select(Op::ALL.to_vec());
    let modifier = prop::sample::select(Modifier::ALL.to_vec());
    (operand(), op, modifier, value(), prop::collection::vec(value(), 0..4), operand(), 0..4_u8).prop_map(
        |(lhs, op, modifier, one, many, other, choice)| {
            let (modifier, rhs) = match (op, choice) {
                (Op::Exists, _) => (None, Rhs::None),
                (_, 0) => match &other.kind {
                    OperandKind::Field { .. } => (None, Rhs::Field(other)),
                    OperandKind::Call { .. } => (None, Rhs::Call(other)),
                },
                (op, _) if op.takes_list() => (None, Rhs::List(many)),
                (op, _) if op.takes_number() => {
                    let bytes = format!("{}", one.bytes.len()).into_bytes();
                    (None, Rhs::Value(Value { bytes, quoted: false, at: 0..0 }))
                }
                (_, 1) => (Some(modifier), Rhs::List(many)),
                _ => (None, Rhs::Value(one)),
            };
            Check { lhs, op, op_bytes: 0..0, modifier, rhs }
        },
    )
}

fn build(tree: &Tree, ast: &mut Ast) -> NodeId {
    let kind = match tree {
        Tree::And(parts) => NodeKind::And(parts.iter().map(|part| build(part, ast)).collect()),
        Tree::Or(parts) => NodeKind::Or(parts.iter().map(|part| build(part, ast)).collect()),
        Tree::Not(part) => NodeKind::Not(build(part, ast)),
        Tree::Check(check) => NodeKind::Check(Box::new(check.clone())),
        Tree::Macro(name) => NodeKind::Macro(name.clone()),
    };
    ast.push(kind, 0..0)
}

/// A tree without its places, spelt out so that two can be compared.
fn sketch(ast: &Ast, id: NodeId, out: &mut String) {
    let value = |v: &Value| format!("{:?}", v.bytes);
    let operand = |o: &Operand| o.to_string();
    match &ast.node(id).kind {
        NodeKind::And(parts) | NodeKind::Or(parts) => {
            let and = matches!(ast.node(id).kind, NodeKind::And(_));
            out.push_str(if and { "(and" } else { "(or" });
            for part in parts {
                out.push(' ');
                sketch(ast, *part, out);
            }
            out.push(')');
        }
        NodeKind::Not(part) => {
            out.push_str("(not ");
            sketch(ast, *part, out);
            out.push(')');
        }
        NodeKind::Macro(name) => out.push_str(name),
        NodeKind::Broken => out.push_str("<broken>"),
        NodeKind::Check(check) => {
            let rhs = match &check.rhs {
                Rhs::None => String::new(),
                Rhs::Value(v) => value(v),
                Rhs::List(values) => format!("({})", values.iter().map(value).collect::<Vec<_>>().join(" ")),
                Rhs::Field(field) => format!("val {}", operand(field)),
                Rhs::Call(call) => format!("call {}", operand(call)),
            };
            let _ = write!(out, "[{} {:?} {:?} {rhs}]", operand(&check.lhs), check.op, check.modifier);
        }
    }
}

fn sketched(ast: &Ast) -> String {
    let mut out = String::new();
    sketch(ast, ast.root().unwrap(), &mut out);
    out
}

fn any_tree() -> impl Strategy<Value = Tree> {
    tree(prop_oneof![
        4 => check().prop_map(Tree::Check),
        1 => prop::sample::select(vec!["container", "spawned_process", "notary", "organic", "a1"])
            .prop_map(|name| Tree::Macro(name.to_owned())),
    ])
}

/// Leaves with a meaning, for the fields of `event`.
const LEAVES: [&str; 38] = [
    "evt.type = open",
    "evt.type in (open, execve)",
    "evt.type != connect",
    "proc.name = a",
    "proc.name in (a, b)",
    "proc.name startswith b",
    "proc.pname != a",
    "fd.num >= 2",
    "fd.num in (1, 2)",
    "fd.name contains x",
    "fd.name pmatch (/x)",
    "proc.aname = a",
    "proc.aname != b",
    "fd.ip != 1.1.1.1",
    "fd.snet in (10.0.0.0/8)",
    "fd.filename exists",
    "proc.name regex \"a|bx?\"",
    "fd.name regex \"/x(/[[:alpha:]])*\"",
    "proc.name startswith anyof (a, b)",
    "proc.name contains oneof (b, x)",
    "fd.ip != allof (1.1.1.1, 10.0.0.1)",
    "proc.name = val(proc.pname)",
    "toupper(proc.name) = toupper(proc.pname)",
    "concat(proc.name, \"x\") in (bx, ax)",
    "join(\"-\", (proc.name, proc.pname)) startswith a-",
    "len(fd.name) > 2",
    // So many of one sort that they share a search.
    "proc.name != b",
    "proc.name in (b, bx, /y)",
    "proc.pname = bx",
    "proc.pname in (a, b)",
    "proc.pname startswith b",
    "fd.name = /x/y",
    "fd.name != /y",
    "fd.name in (a, /y)",
    "fd.name startswith /",
    "fd.name startswith /x",
    "fd.name startswith /x/y",
    "fd.name startswith b",
];

const MACROS: &str = "
- macro: m0
  condition: evt.type = open and proc.name = a
- macro: m1
  condition: m0 or fd.num >= 2
- macro: m2
  condition: not m1 and (m0 or proc.aname = a)
";

fn meant_tree() -> impl Strategy<Value = Tree> {
    let leaf = prop::sample::select(LEAVES.to_vec()).prop_map(|text| {
        let Parsed { ast, errors } = parse(text);
        assert!(errors.is_empty());
        match &ast.node(ast.root().unwrap()).kind {
            NodeKind::Check(check) => Tree::Check((**check).clone()),
            other => panic!("{other:?} is no check"),
        }
    });
    let named = prop::sample::select(vec!["m0", "m1", "m2"]).prop_map(|name| Tree::Macro(name.to_owned()));
    tree(prop_oneof![3 => leaf, 1 => named])
}

fn event() -> impl Strategy<Value = FieldMap> {
    let text = || prop::option::of(prop::sample::select(vec!["a", "b", "bx", "/x/y", "/y"]));
    let ip = || prop::option::of(prop::sample::select(vec!["1.1.1.1", "10.0.0.1", "::1"]));
    let kind = prop::sample::select(vec!["open", "execve", "connect"]);
    (kind, text(), text(), text(), text(), prop::option::of(0..4_i64), ip(), ip(), text()).prop_map(
        |(kind, name, parent, grand, file, num, client, server, last)| {
            let mut map = serde_json::Map::new();
            map.insert("evt.type".into(), kind.into());
            let mut put = |key: &str, value: Option<serde_json::Value>| {
                if let Some(value) = value {
                    map.insert(key.into(), value);
                }
            };
            put("proc.name", name.map(Into::into));
            put("proc.pname", parent.map(Into::into));
            put("proc.aname[1]", parent.map(Into::into));
            put("proc.aname[2]", grand.map(Into::into));
            put("fd.name", file.map(Into::into));
            put("fd.num", num.map(Into::into));
            put("fd.cip", client.map(Into::into));
            put("fd.sip", server.map(Into::into));
            put("fd.filename", last.map(Into::into));
            FieldMap::from_json(&serde_json::Value::Object(map)).unwrap()
        },
    )
}

/// The plain meaning of a tree: no sharing, no jumps, no memory between tests.
fn plain(tree: &Tree, event: &FieldMap, empty: &Ruleset, macros: &[(&str, Tree)]) -> bool {
    match tree {
        Tree::And(parts) => parts.iter().all(|part| plain(part, event, empty, macros)),
        Tree::Or(parts) => parts.iter().any(|part| plain(part, event, empty, macros)),
        Tree::Not(part) => !plain(part, event, empty, macros),
        Tree::Check(check) => {
            let filter = Filter::compile(&check.to_string(), empty).unwrap();
            filter.matches(event, &mut Scratch::new())
        }
        Tree::Macro(name) => {
            let (_, body) = macros.iter().find(|(n, _)| n == name).unwrap();
            plain(body, event, empty, macros)
        }
    }
}

fn tree_of(ast: &Ast, id: NodeId) -> Tree {
    match &ast.node(id).kind {
        NodeKind::And(parts) => Tree::And(parts.iter().map(|part| tree_of(ast, *part)).collect()),
        NodeKind::Or(parts) => Tree::Or(parts.iter().map(|part| tree_of(ast, *part)).collect()),
        NodeKind::Not(part) => Tree::Not(Box::new(tree_of(ast, *part))),
        NodeKind::Check(check) => Tree::Check((**check).clone()),
        NodeKind::Macro(name) => Tree::Macro(name.clone()),
        NodeKind::Broken => panic!("a broken tree"),
    }
}

fn macro_trees() -> Vec<(&'static str, Tree)> {
    MACROS
        .split("- macro: ")
        .skip(1)
        .map(|item| {
            let (name, body) = item.split_once("\n  condition: ").unwrap();
            let parsed = parse(body.trim());
            (name, tree_of(&parsed.ast, parsed.ast.root().unwrap()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_a_print_gives_the_tree(tree in any_tree()) {
        let mut ast = Ast::default();
        build(&tree, &mut ast);
        let text = ast.to_string();
        let parsed = parse(&text);
        prop_assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
        prop_assert_eq!(sketched(&parsed.ast), sketched(&ast), "{}", text);
        prop_assert_eq!(parsed.ast.to_string(), text);
    }

    #[test]
    fn formatting_twice_is_as_once_and_keeps_the_tree(
        tree in any_tree(), style in 0..4_usize, indent in 1..5_usize, breaks in any::<u64>(),
    ) {
        let mut ast = Ast::default();
        build(&tree, &mut ast);
        let text = ast.to_string();
        // Other blanks where one stood between words; those in quotes stay, since a break there would be another text.
        let mut loose = String::new();
        let mut quote = false;
        for (i, c) in text.chars().enumerate() {
            quote ^= c == '"' && !loose.ends_with('\\');
            loose.push(c);
            if c == ' ' && !quote && breaks >> (i % 64) & 1 == 1 {
                loose.push_str(if style < 2 { "\n" } else { "  " });
            }
        }
        let pad = " ".repeat(2 + indent);
        let value = match style {
            0 => format!(">\n{pad}{}", loose.replace('\n', &format!("\n{pad}"))),
            1 => format!("|\n{pad}{}", loose.replace('\n', &format!("\n{pad}"))),
            2 => format!("'{}'", loose.replace('\'', "''")),
            _ => loose,
        };
        let file = format!("- macro: m # why\n  condition: {value}\n# end\n- list: l\n  items: [a]\n");
        if let Ok(once) = format(&file, Dialect::Eyas) {
            let twice = format(&once.text, Dialect::Eyas).unwrap();
            prop_assert_eq!(&twice.text, &once.text);
            prop_assert!(once.text.starts_with("- macro: m # why\n"), "{}", once.text);
            prop_assert!(once.text.ends_with("\n# end\n- list: l\n  items: [a]\n"), "{}", once.text);
            let why = "the file would mean something else";
            prop_assert!(once.left.iter().all(|(_, w)| *w != why), "{}\n{}", file, text);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let parsed = parse(&text);
        prop_assert!(!parsed.ast.is_empty());
        for error in parsed.errors {
            prop_assert!(error.bytes.end as usize <= text.len(), "{error:?}");
        }
    }

    #[test]
    fn no_heap_of_words_makes_the_parser_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "and", "or", "not", "(", ")", "proc.name", "=", "in", "x", "\"", "'", "\\", ",", "[", "]", "val(", "tolower(",
                "exists", "4", ">", "oneof", " ", "\n", "é", "spawned", "evt.type",
            ]),
            0..40,
        ),
        glue in prop::sample::select(vec!["", " "]),
    ) {
        let text = words.join(glue);
        let rules = format!("- rule: r\n  desc: d\n  condition: |\n    {}\n  output: o\n  priority: INFO\n",
            text.replace('\n', "\n    "));
        let loaded = Loader::new().add(SourceFile::new("r", rules)).finish();
        for d in &loaded.diagnostics {
            let place = d.place().unwrap();
            prop_assert!(place.end as usize <= loaded.sources.text(place.source).len());
        }
        prop_assert!(loaded.ruleset.len() + loaded.left_out.len() <= 1);
    }

    #[test]
    fn no_file_makes_the_loader_panic(text in "[-:a-z\\[\\]{}|>'\"&*#% \n]{0,200}") {
        let loaded = Loader::new().add(SourceFile::new("r", text)).finish();
        prop_assert!(loaded.ruleset.is_empty());
    }

    #[test]
    fn the_program_answers_as_the_tree(tree in meant_tree(), events in prop::collection::vec(event(), 1..6)) {
        let empty = Ruleset::empty();
        let macros = macro_trees();
        let with_macros = Loader::new().add(SourceFile::new("m", MACROS)).finish().ruleset;
        let mut ast = Ast::default();
        build(&tree, &mut ast);
        let text = ast.to_string();
        let filter = Filter::compile(&text, &with_macros).unwrap();
        let rules = format!("{MACROS}- rule: r\n  desc: d\n  condition: '{}'\n  output: o\n  priority: INFO\n",
            text.replace('\'', "''"));
        let ruleset = Loader::new().add(SourceFile::new("r", rules)).finish().ruleset;
        let mut scratch = Scratch::new();
        for event in &events {
            let expected = plain(&tree, event, &empty, &macros);
            prop_assert_eq!(filter.matches(event, &mut scratch), expected, "{}", text);
            // Through the index by event type as well, which must never hide a rule.
            let mut fired = Vec::new();
            ruleset.judge(event, &mut scratch, &mut fired);
            prop_assert_eq!(!fired.is_empty(), expected, "{} {:?}", text, event);
        }
    }

    #[test]
    fn rules_judged_together_fire_as_each_would_alone(
        trees in prop::collection::vec(meant_tree(), 2..14),
        events in prop::collection::vec(event(), 1..12),
    ) {
        // Neighbours share a part, as rules do.
        let trees: Vec<Tree> = (0..trees.len())
            .map(|i| match i % 3 {
                0 => trees[i].clone(),
                _ => Tree::And(vec![trees[i].clone(), trees[i - 1].clone()]),
            })
            .collect();
        let mut rules = MACROS.to_owned();
        for (i, tree) in trees.iter().enumerate() {
            let mut ast = Ast::default();
            build(tree, &mut ast);
            let condition = ast.to_string().replace('\'', "''");
            let _ = writeln!(rules, "- rule: r{i}\n  desc: d\n  condition: '{condition}'\n  output: o\n  priority: INFO");
        }
        let load = |matching| Loader::new().matching(matching).add(SourceFile::new("r", rules.as_str())).finish().ruleset;
        let (all, first) = (load(Matching::All), load(Matching::First));
        prop_assert_eq!(all.len(), trees.len());
        let (empty, macros) = (Ruleset::empty(), macro_trees());
        let mut scratch = Scratch::new();
        for event in &events {
            let expected: Vec<u32> = (0..trees.len() as u32)
                .filter(|i| plain(&trees[*i as usize], event, &empty, &macros))
                .collect();
            let mut fired = Vec::new();
            all.judge(event, &mut scratch, &mut fired);
            prop_assert_eq!(fired.iter().map(|id| id.0).collect::<Vec<_>>(), expected.clone(), "{:?}\n{}", event, rules);
            fired.clear();
            first.judge(event, &mut scratch, &mut fired);
            prop_assert_eq!(fired.first().map(|id| id.0), expected.first().copied());
            prop_assert!(fired.len() < 2);
            for (id, _) in all.rules() {
                prop_assert_eq!(all.matches(id, event, &mut scratch), expected.contains(&id.0));
            }
        }
    }
}

#[test]
fn a_thousand_parentheses_are_read_and_more_are_refused() {
    let deep = |n: usize| format!("{}evt.type = open{}", "(".repeat(n), ")".repeat(n));
    let empty = Ruleset::empty();
    assert!(Filter::compile(&deep(1000), &empty).is_ok());
    assert!(Filter::compile(&deep(1001), &empty).is_err());
    let nots = "not ".repeat(100_000);
    assert!(Filter::compile(&format!("{nots}evt.type = open"), &empty).is_ok());
}

#[test]
fn macros_that_double_each_other_stay_small() {
    let mut rules = String::from("- macro: m0\n  condition: proc.name = a or proc.pname = b\n");
    for i in 1..60 {
        let before = i - 1;
        let _ = writeln!(
            rules,
            "- macro: m{i}\n  condition: (m{before} and fd.num = {i}) or (m{before} and fd.num != {i})"
        );
    }
    rules.push_str(
        "- rule: r\n  desc: d\n  condition: evt.type = open and m59\n  output: o\n  priority: INFO\n",
    );
    let loaded = Loader::new().add(SourceFile::new("r", rules)).finish();
    assert_eq!(loaded.ruleset.len(), 1, "{:?}", loaded.diagnostics);
    assert!(loaded.ruleset.program().ops() < 1000);
    let event = FieldMap::from_json_text(r#"{"evt.type": "open", "proc.name": "a", "fd.num": 5}"#).unwrap();
    let mut fired = Vec::new();
    loaded.ruleset.judge(&event, &mut Scratch::new(), &mut fired);
    assert_eq!(fired.len(), 1);
}

#[test]
fn a_long_chain_of_macros_compiles_in_little_time() {
    let mut rules = String::from("- macro: m0\n  condition: proc.name = a\n");
    for i in 1..3000 {
        let _ = writeln!(rules, "- macro: m{i}\n  condition: m{} and fd.num != {i}", i - 1);
    }
    rules.push_str(
        "- rule: r\n  desc: d\n  condition: evt.type = open and m2999\n  output: o\n  priority: INFO\n",
    );
    let loaded = Loader::new().add(SourceFile::new("r", rules)).finish();
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let (id, rule) = loaded.ruleset.rules().next().unwrap();
    assert_eq!(rule.macros.len(), 3000);
    let mut scratch = Scratch::new();
    let event = |num: i64| {
        FieldMap::from_json(&serde_json::json!({"evt.type": "open", "proc.name": "a", "fd.num": num}))
            .unwrap()
    };
    assert!(loaded.ruleset.matches(id, &event(5000), &mut scratch));
    assert!(!loaded.ruleset.matches(id, &event(1234), &mut scratch));
}
