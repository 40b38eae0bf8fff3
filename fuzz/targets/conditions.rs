//! Any text as a condition: it parses or is rejected, and what was printed from a tree parses to the same print.
#![no_main]

use eyas_engine::syntax::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = parse(text);
    if !parsed.errors.is_empty() {
        for error in &parsed.errors {
            assert!(error.bytes.start <= error.bytes.end && error.bytes.end as usize <= text.len());
        }
        return;
    }
    let printed = parsed.ast.to_string();
    let again = parse(&printed);
    assert!(again.errors.is_empty(), "printed, and does not parse: {printed:?}");
    assert_eq!(printed, again.ast.to_string());
});
