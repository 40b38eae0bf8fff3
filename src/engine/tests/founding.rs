//! Five rules as guides to Falco show them, each with what is wrong with it as it came: `founding/*.yaml`, checked after the
//! shipped rules whose macros they use. Each loads as written, or `fix` makes it the text of `founding/*.fixed`; and each
//! has an event that fires it and one that does not.
//!
//! `EYAS_BLESS=1 cargo test -p eyas-engine --test founding` writes the fixed texts anew.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use eyas_engine::{Code, Dialect, FieldMap, Loader, Scratch, SourceFile, Take, fix};
use serde_json::json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/founding")
}

fn shipped() -> SourceFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/eyas.yaml");
    SourceFile::new("eyas.yaml", std::fs::read_to_string(path).unwrap())
}

/// The codes of what is said about a text after the shipped rules, each once.
fn codes(name: &str, text: &str) -> Vec<&'static str> {
    let loaded = Loader::new().add(shipped()).add(SourceFile::new(name, text)).finish();
    let ours = loaded.diagnostics.iter().filter(|d| d.place().is_some_and(|span| span.source.0 == 1));
    let mut codes: Vec<_> = ours.filter(|d| d.is_error()).map(|d| d.code.as_str()).collect();
    codes.dedup();
    codes
}

/// Mends a rule and judges two events with it.
fn check(name: &str, rule: &str, wrong: &[Code], fires: &serde_json::Value, silent: &serde_json::Value) {
    let file = format!("{name}.yaml");
    let text = std::fs::read_to_string(folder().join(&file)).unwrap();
    let wrong: Vec<_> = wrong.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes(&file, &text), wrong, "{name} as written");
    let mended =
        fix(vec![shipped(), SourceFile::new(&*file, &*text)], 1, Dialect::Eyas, Take::Sure).remove(0);
    let golden = folder().join(format!("{name}.fixed"));
    if wrong.is_empty() {
        assert_eq!(mended.file.text, text, "{name} loads as written");
    } else {
        if std::env::var_os("EYAS_BLESS").is_some() {
            std::fs::write(&golden, &mended.file.text).unwrap();
        }
        assert_eq!(mended.file.text, std::fs::read_to_string(&golden).unwrap_or_default(), "{name}");
    }
    assert_eq!(codes(&file, &mended.file.text), Vec::<&str>::new(), "{name} mended");
    let loaded = Loader::new().add(shipped()).add(mended.file).finish();
    let fired = |event: &serde_json::Value| {
        let event = FieldMap::from_json(event).unwrap();
        let mut scratch = Scratch::new();
        loaded.ruleset.matches(loaded.ruleset.find(rule).unwrap(), &event, &mut scratch)
    };
    assert!(fired(fires), "{name}: {fires} fires");
    assert!(!fired(silent), "{name}: {silent} does not");
}

#[test]
fn a_terminal_shell_in_a_container() {
    check(
        "terminal-shell",
        "Terminal shell in container",
        &[],
        &json!({"evt.type": "execve", "container.id": "3ad7b26ded6d", "proc.name": "bash", "proc.pname": "runc"}),
        &json!({"evt.type": "execve", "container.id": "3ad7b26ded6d", "proc.name": "bash", "proc.pname": "pause"}),
    );
}

#[test]
fn a_write_below_etc() {
    let event = |namespace: &str| {
        json!({
            "evt.type": "openat", "container.id": "3ad7b26ded6d", "k8s.ns.name": namespace, "fd.name": "/etc/passwd",
            "evt.is_open_write": true,
        })
    };
    check(
        "write-below-etc",
        "Write below /etc in product namespace",
        &[],
        &event("billing"),
        &event("kube-system"),
    );
}

#[test]
fn a_suspicious_shell() {
    check(
        "suspicious-shell",
        "Suspicious shell activity",
        &[],
        &json!({"evt.type": "execve", "proc.name": "curl", "proc.args": "http://example.com/e.sh -o /tmp/e.sh"}),
        &json!({"evt.type": "execve", "proc.name": "curl", "proc.args": "http://example.com/"}),
    );
}

#[test]
fn network_activity_of_pods() {
    check(
        "capture-network",
        "Capture all network activity from suspicious pods",
        &[Code::NoBase, Code::UnknownField, Code::OutputUnknownField],
        &json!({"evt.type": "connect", "container.id": "3ad7b26ded6d", "fd.sport": 443, "fd.cport": 40000}),
        &json!({"evt.type": "connect", "container.id": "3ad7b26ded6d", "fd.sport": 53, "fd.cport": 40000}),
    );
}

#[test]
fn a_rule_that_lost_its_indentation() {
    check(
        "shell-spawned",
        "Shell Spawned in Container",
        &[Code::YamlSyntax],
        &json!({"evt.type": "execve", "container.id": "3ad7b26ded6d", "proc.name": "zsh", "proc.pname": "runc"}),
        &json!({"evt.type": "execve", "container.id": "host", "proc.name": "zsh", "proc.pname": "runc"}),
    );
}
