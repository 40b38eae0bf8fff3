//! Files that are large, deep or malicious: each loads or is refused with a finding that names the place, and neither takes
//! memory or time without end. Nothing is timed here; a load that does not end fails by not ending.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use eyas_engine::diag::{Paint, to_text};
use eyas_engine::load_result::load_results;
use eyas_engine::{Code, Dialect, Loaded, Loader, SourceFile};

fn rule(name: &str, condition: &str) -> String {
    format!("- rule: {name}\n  condition: {condition}\n  desc: d\n  output: o\n  priority: INFO\n")
}

/// Loads a text in both dialects; every finding has a place and can be shown. Gives what eyas says by default.
fn load(text: &str) -> Loaded {
    let load = |dialect| Loader::new().dialect(dialect).add(SourceFile::new("big.yaml", text)).finish();
    for loaded in [load(Dialect::FalcoExact), load(Dialect::Eyas)] {
        let results = load_results(&loaded.diagnostics, &loaded.by_file, &loaded.sources);
        assert_eq!(results.len(), 1);
        for found in loaded.diagnostics.iter().take(3) {
            let span = found.place().unwrap();
            assert!(span.end as usize <= text.len());
            // A long line is not printed whole.
            assert!(to_text(found, &loaded.sources, Paint::Plain).len() < 20_000, "{}", found.code);
        }
        for issue in results[0]["errors"].as_array().unwrap().iter().take(3) {
            assert!(issue["context"]["snippet"].as_str().unwrap().len() < 2000);
        }
    }
    load(Dialect::Eyas)
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code).collect()
}

#[test]
fn a_list_of_a_hundred_thousand_items_is_compiled() {
    let mut text = String::from("- list: l\n  items:\n");
    for i in 0..100_000 {
        let _ = writeln!(text, "    - item{i}");
    }
    text.push_str(&rule("r", "evt.type = execve and proc.name in (l)"));
    let loaded = Loader::new().add(SourceFile::new("big.yaml", text)).finish();
    assert!(codes(&loaded).is_empty(), "{:?}", codes(&loaded));
    assert_eq!(loaded.ruleset.rules().count(), 1);
}

#[test]
fn aliases_of_aliases_end() {
    let mut text = String::from("- list: a0\n  items: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for i in 1..12 {
        let before = vec![format!("*a{}", i - 1); 10].join(",");
        let _ = writeln!(text, "- list: a{i}\n  items: &a{i} [{before}]");
    }
    let found = codes(&load(&text));
    assert!(found.contains(&Code::YamlSyntax) && found.contains(&Code::WrongType), "{found:?}");
}

#[test]
fn lists_of_lists_and_macros_of_macros_end() {
    let mut lists = String::from("- list: l0\n  items: [x]\n");
    let mut macros = String::from("- macro: m0\n  condition: (proc.name = x or proc.name = y)\n");
    for i in 1..30 {
        let name = format!("l{}", i - 1);
        let _ = writeln!(lists, "- list: l{i}\n  items: [{}]", vec![name; 10].join(", "));
        let _ = writeln!(macros, "- macro: m{i}\n  condition: (m{0} and m{0})", i - 1);
    }
    lists.push_str(&rule("r", "evt.type = execve and proc.name in (l29)"));
    macros.push_str(&rule("r", "evt.type = execve and m29"));
    // Lists are put in one level deep, so this one stays small.
    assert!(codes(&load(&lists)).is_empty());
    assert!(codes(&load(&macros)).is_empty());
}

#[test]
fn what_is_nested_too_deep_is_refused_where_it_begins_to_be() {
    let deep = |open: &str, within: &str, close: &str| open.repeat(10_000) + within + &close.repeat(10_000);
    let parens = load(&rule("r", &format!("evt.type = execve and {}", deep("(", "proc.name = x", ")"))));
    assert_eq!(codes(&parens), [Code::TooDeep]);
    let calls =
        load(&rule("r", &format!("evt.type = execve and {} = x", deep("tolower(", "proc.name", ")"))));
    assert!(codes(&calls).contains(&Code::TooDeep));
    let nots = load(&rule("r", &format!("evt.type = execve and {}proc.name = x", "not ".repeat(10_000))));
    assert!(codes(&nots).is_empty());
    for yaml in [deep("[", "", "]"), deep("{a: ", "1", "}")] {
        assert!(codes(&load(&format!("- rule: {yaml}\n"))).contains(&Code::YamlSyntax));
    }
    let mut block = String::new();
    for i in 0..1000 {
        let _ = writeln!(block, "{}- a:", "  ".repeat(i));
    }
    assert!(codes(&load(&block)).contains(&Code::YamlSyntax));
}

#[test]
fn patterns_without_end_are_refused() {
    for pattern in
        ["(a|b)?".repeat(20_000), "((a{1,100}){1,100}){1,100}".into(), "(".repeat(5_000) + &")".repeat(5_000)]
    {
        let loaded = load(&rule("r", &format!("evt.type = execve and proc.name regex \"{pattern}\"")));
        assert_eq!(codes(&loaded), [Code::BadRegex], "{}", &pattern[..10]);
    }
}

#[test]
fn a_line_of_a_million_characters_is_read_and_not_printed() {
    let names: Vec<_> = (0..100_000).map(|i| format!("n{i}")).collect();
    let wrong = rule("r", &format!("evt.type = execve and proc.nmae in ({})", names.join(", ")));
    assert!(wrong.lines().any(|line| line.len() > 700_000));
    assert_eq!(codes(&load(&wrong)), [Code::UnknownField]);
}

#[test]
fn many_small_things_do_not_add_up_to_much() {
    let mut appends = rule("r", "evt.type = execve");
    for i in 0..2_000 {
        let _ = writeln!(
            appends,
            "- rule: r\n  condition: and proc.pid != {i}\n  override: {{condition: append}}"
        );
    }
    assert!(codes(&load(&appends)).is_empty());
    let mut exceptions = rule("r", "evt.type = execve") + "  exceptions:\n";
    for i in 0..2_000 {
        let _ = writeln!(exceptions, "    - name: e{i}\n      fields: proc.name\n      values: [a]");
    }
    assert!(codes(&load(&exceptions)).is_empty());
    let mut keys = rule("r", "evt.type = execve");
    for i in 0..2_000 {
        let _ = writeln!(keys, "  k{i}: 1");
    }
    assert!(codes(&load(&keys)).is_empty());
    let mut broken = String::new();
    for i in 0..2_000 {
        let _ = writeln!(broken, "- rule: r{i}\n  condition: [");
    }
    assert!(codes(&load(&broken)).contains(&Code::YamlSyntax));
}
