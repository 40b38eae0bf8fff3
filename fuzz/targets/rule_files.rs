//! Any text as a rule file: loading ends, every diagnostic points into the file and can be rendered, and rules judged
//! together fire as each would alone.
#![no_main]

use eyas_engine::diag::{Paint, to_json, to_text};
use eyas_engine::{FieldMap, Loader, Scratch, SourceFile};
use libfuzzer_sys::fuzz_target;

/// What the rules are asked about.
const EVENTS: [&str; 3] = [
    r#"{"evt.type": "openat", "evt.is_open_read": true, "evt.is_open_write": false, "fd.num": 3, "fd.name": "/etc/shadow",
        "fd.typechar": "f", "fd.directory": "/etc", "fd.filename": "shadow", "proc.name": "cat", "proc.pname": "sh"}"#,
    r#"{"evt.type": "execve", "evt.rawres": 0, "proc.name": "sh", "proc.exepath": "/tmp/x", "proc.cmdline": "sh -i",
        "proc.aname[1]": "sshd", "container.id": "host", "user.uid": 0}"#,
    r#"{"evt.type": "connect", "fd.typechar": "4", "fd.sip": "10.0.0.9", "fd.sport": 443, "proc.name": "curl"}"#,
];

fuzz_target!(|text: &str| {
    let loaded = Loader::new().add(SourceFile::new("fuzz.yaml", text)).finish();
    for diagnostic in &loaded.diagnostics {
        let span = diagnostic.place().expect("every diagnostic has a place");
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{diagnostic:?}");
        let _ = to_text(diagnostic, &loaded.sources, Paint::Plain);
    }
    let _ = to_json(&loaded.diagnostics, &loaded.sources);
    let (mut scratch, mut fired) = (Scratch::new(), Vec::new());
    for event in EVENTS {
        let event = FieldMap::from_json_text(event).expect("an event of ours");
        fired.clear();
        loaded.ruleset.judge(&event, &mut scratch, &mut fired);
        for (id, rule) in loaded.ruleset.rules().filter(|(_, rule)| rule.enabled && &*rule.source == "syscall") {
            assert_eq!(loaded.ruleset.matches(id, &event, &mut scratch), fired.contains(&id), "{}", rule.name);
        }
    }
});
