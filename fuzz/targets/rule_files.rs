//! Any text as a rule file: loading ends, and every diagnostic points into the file and can be rendered.
#![no_main]

use eyas_engine::diag::{Paint, to_json, to_text};
use eyas_engine::{Loader, SourceFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let loaded = Loader::new().add(SourceFile::new("fuzz.yaml", text)).finish();
    for diagnostic in &loaded.diagnostics {
        let span = diagnostic.place().expect("every diagnostic has a place");
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{diagnostic:?}");
        let _ = to_text(diagnostic, &loaded.sources, Paint::Plain);
    }
    let _ = to_json(&loaded.diagnostics, &loaded.sources);
});
