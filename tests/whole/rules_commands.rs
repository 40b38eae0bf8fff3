//! `eyas rules eval`, `explain`, `show` and `list --json`: answers, exit codes, and which stream holds what.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Place, Ran, eyas, parse, run};

const BASE: &str = "\
- list: shells
  items: [bash, sh]
- macro: opened
  condition: evt.type in (open, openat)
- macro: by_shell
  condition: opened and proc.name in (shells)
- rule: Shell reads a secret
  desc: d
  condition: by_shell and fd.name startswith /secret
  output: read %fd.name by %proc.pname
  priority: WARNING
  tags: [file]
";

const CHANGES: &str = "\
- list: shells
  items: [zsh]
  override: {items: append}
- rule: Shell reads a secret
  condition: and not proc.pname = keeper
  output: and %user.uid
  enabled: false
  override: {condition: append, output: append, enabled: replace}
";

const EVENT: &str =
    r#"{"evt.type": "openat", "proc.name": "zsh", "fd.name": "/secret/\u001b[2Jkey", "user.uid": 0}"#;

fn ran(args: &[&str]) -> Ran {
    run(eyas().args(args))
}

/// A place with the rules, their changes and the event: their paths.
fn stage() -> (Place, [String; 3]) {
    let place = Place::new();
    let paths = [("base.yaml", BASE), ("changes.yaml", CHANGES), ("event.json", EVENT)]
        .map(|(name, text)| place.write(name, text).display().to_string());
    (place, paths)
}

#[test]
fn eval_answers_in_its_first_line() {
    let (_place, [base, _, event]) = stage();
    let eval =
        |condition: &str| ran(&["rules", "eval", "--event", &event, "--condition", condition, "-r", &base]);
    for (condition, answer) in [
        ("proc.name = zsh", "TRUE\n"),
        ("opened and not by_shell", "TRUE\n"),
        ("proc.name in (shells)", "FALSE\n"),
        ("proc.pname != x", "FALSE\n"),
    ] {
        let ran = eval(condition).ended(0);
        assert_eq!((ran.out().as_str(), ran.err().as_str()), (answer, ""), "{condition}");
    }
    for condition in ["proc.nmae = x", "proc.name =", "", "nobody"] {
        let ran = eval(condition).ended(1);
        assert_eq!(ran.out(), "LOAD_ERROR\n", "{condition}");
        assert!(ran.err().contains("error["), "{condition}: {}", ran.err());
    }
    // The shipped rules' macros are there when no others are named.
    let ran = ran(&["rules", "eval", "--event", &event, "--condition", "spawned_process", "--falco-exact"]);
    assert_eq!(ran.ended(0).out(), "FALSE\n");
}

#[test]
fn eval_renders_an_output() {
    let (_place, [_, _, event]) = stage();
    let eval = |format: &str| ran(&["rules", "eval", "--event", &event, "--output", format]);
    for format in ["%proc.name %fd.name %proc.pname.", "*%proc.name %fd.name %proc.pname."] {
        let ran = eval(format).ended(0);
        assert_eq!(ran.out(), "zsh /secret/\\x1b[2Jkey <NA>.\n", "nothing acts on the terminal");
    }
    let ran = eval("%no.such").ended(1);
    assert_eq!(ran.out(), "LOAD_ERROR\n");
    assert!(ran.err().contains("no.such"), "{}", ran.err());
}

#[test]
fn an_event_may_come_from_standard_input_and_a_bad_one_is_named_by_key() {
    let place = Place::new();
    let args = ["rules", "eval", "--event", "-", "--condition", "fd.num = 3"];
    let mut child = eyas()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"fd.num\": 3}").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"TRUE\n");
    for (event, key) in [
        (r#"{"proc.nmae": "x"}"#, "`proc.nmae`"),
        (r#"{"fd.num": "x"}"#, "`fd.num`"),
        ("{", "not JSON"),
        ("[]", "object"),
    ] {
        let file = place.write("bad.json", event).display().to_string();
        for args in [
            &["rules", "eval", "--event", &file, "--condition", "fd.num = 3"][..],
            &["rules", "explain", "--event", &file, "x"],
        ] {
            let ran = ran(args).ended(2);
            assert!(ran.err().contains(&file) && ran.err().contains(key), "{event}: {}", ran.err());
            assert_eq!(ran.out(), "");
        }
    }
    let missing = place.path("nowhere.json").display().to_string();
    let said = ran(&["rules", "eval", "--event", &missing, "--condition", "fd.num = 3"]).ended(2).err();
    assert!(said.contains(&missing), "{said}");
    let file = place.write("e.json", "{}").display().to_string();
    ran(&["rules", "eval", "--event", &file]).ended(2);
    ran(&["rules", "eval", "--event", &file, "--condition", "x", "--output", "y"]).ended(2);
}

#[test]
fn explain_shows_what_each_part_saw() {
    let (_place, [base, changes, event]) = stage();
    let explain = |more: &[&str]| {
        let first = ["rules", "explain", "--event", &event, "Shell reads a secret", "-r", &base];
        ran(&[&first[..], more].concat())
    };
    let out = explain(&[]).ended(0).out();
    assert!(out.starts_with("Shell reads a secret: does not fire\nfalse    and\n"), "{out}");
    assert!(out.contains("proc.name in (bash, sh)  saw \"zsh\""), "{out}");
    assert!(out.contains("-          fd.name startswith /secret\n"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
    let out = explain(&["-r", &changes]).ended(0).out();
    assert!(out.starts_with("Shell reads a secret: would fire, but it is off\n"), "{out}");
    assert!(out.contains("saw \"/secret/\\x1b[2Jkey\""), "{out}");
    assert!(out.contains("missing      proc.pname = keeper  no value\n"), "{out}");
    let json = parse(&explain(&["--json"]).ended(0).out());
    assert_eq!(json["holds"], false);
    let steps = json["steps"].as_array().unwrap();
    let of = |text: &str| steps.iter().find(|s| s["text"].as_str().unwrap().contains(text)).unwrap();
    assert_eq!(of("proc.name in")["values"], serde_json::json!(["zsh"]));
    assert_eq!(of("proc.name in")["verdict"], "false");
    assert_eq!(of("fd.name startswith")["verdict"], "not evaluated");
    assert_eq!(of("macro opened")["defined"]["line"], 3);
}

#[test]
fn show_tells_where_each_clause_was_written() {
    let (_place, [base, changes, _]) = stage();
    let show = ["rules", "show", "Shell reads a secret", "-r", &base, "-r", &changes];
    let out = ran(&show).ended(0).out();
    let line = |part: &str| out.lines().find(|l| l.contains(part)).unwrap_or_else(|| panic!("{part}: {out}"));
    assert!(line("enabled ").ends_with("no"));
    assert!(line("output ").ends_with("read %fd.name by %proc.pname and %user.uid"));
    assert!(line("macro by_shell").ends_with(&format!("{base}:9, defined {base}:5")));
    assert!(line("macro opened").ends_with(&format!("{base}:6, defined {base}:3")));
    assert!(line("proc.name in (shells)").ends_with(&format!("{base}:6")));
    assert!(line("fd.name startswith /secret").ends_with(&format!("{base}:9")));
    assert!(line("proc.pname = keeper").ends_with(&format!("{changes}:5")));
    assert!(line("bash, sh").ends_with(&format!("{base}:2")));
    assert!(line("    zsh").ends_with(&format!("{changes}:2")));
    let json = parse(&ran(&[&show[..], &["--json"]].concat()).ended(0).out());
    assert_eq!(json["enabled"], false);
    assert_eq!(json["priority"], "Warning");
    assert_eq!(json["output_places"][1]["file"], serde_json::json!(changes));
    assert_eq!(json["lists"][0]["items"][2]["value"], "zsh");
}

#[test]
fn an_unknown_rule_is_exit_code_2_with_the_nearest_name() {
    let (place, [base, _, event]) = stage();
    for args in [
        &["rules", "show", "Shell reads a secert", "-r", &base][..],
        &["rules", "explain", "--event", &event, "shell reads a secret", "-r", &base],
    ] {
        let ran = ran(args).ended(2);
        assert!(ran.err().contains("did you mean `Shell reads a secret`?"), "{}", ran.err());
        assert_eq!(ran.out(), "");
    }
    let broken = place.write("broken.yaml", &BASE.replace("fd.name starts", "fd.nmae starts"));
    let broken = broken.display().to_string();
    let said = ran(&["rules", "show", "Shell reads a secret", "-r", &broken]).ended(2).err();
    assert!(said.contains("fd.nmae") && said.contains("does not compile"), "{said}");
}

#[test]
fn list_has_a_form_for_machines() {
    let (_place, [base, ..]) = stage();
    let json = parse(&ran(&["rules", "list", "--json", "-r", &base]).ended(0).out());
    let expected = serde_json::json!({ "rules": [{
        "name": "Shell reads a secret", "priority": "Warning", "enabled": true, "source": "syscall",
        "tags": ["file"], "desc": "d",
    }] });
    assert_eq!(json, expected);
}
