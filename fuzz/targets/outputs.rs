//! Any text as an output: it parses or is rejected, and what parses renders an empty event.
#![no_main]

use eyas_engine::output::parse;
use eyas_engine::syntax::text::Spliced;
use eyas_engine::{Dialect, FieldMap, Scratch, SourceId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut found = Vec::new();
    match parse(&Spliced::whole(SourceId(0), text), Dialect::Eyas, &mut found) {
        Some(template) => {
            let _ = template.render(&FieldMap::default(), &mut Scratch::new());
        }
        None => assert!(found.iter().any(eyas_engine::Diagnostic::is_error), "rejected without a word"),
    }
});
