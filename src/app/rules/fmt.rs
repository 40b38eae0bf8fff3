//! `eyas rules fmt`: lays out the conditions of rule files. Standard output says what changed, or holds the diff of what
//! would; standard error says what was left alone and why.

use std::io::Write;
use std::path::PathBuf;

use eyas_engine::diag::ItemKind;
use eyas_engine::{Severity, SourceFile, Sources};

use crate::fail::{Fail, Outcome};
use crate::rulebook;
use crate::settings::Settings;

use super::files;

/// Formats files, or with `check` says what would change.
pub(super) fn format(settings: &Settings, paths: &[PathBuf], check: bool) -> Outcome {
    let mut out = std::io::stdout().lock();
    let mut err = std::io::stderr().lock();
    let mut findings = false;
    for SourceFile { name, text, .. } in files::read(paths)? {
        let done = match eyas_engine::format(&text, settings.dialect) {
            Ok(done) => done,
            Err(broken) => {
                findings = true;
                let mut sources = Sources::default();
                sources.add(SourceFile::new(name, text));
                write!(err, "{}", rulebook::plain(&[*broken], &sources, Severity::Lint))?;
                continue;
            }
        };
        for (condition, why) in &done.left {
            let what = whose(condition.kind, &condition.name);
            writeln!(err, "{name}:{}: the condition of {what} stays as it is: {why}", condition.place.line)?;
        }
        if done.changed.is_empty() {
            continue;
        }
        if check {
            findings = true;
            write!(out, "{}", files::diff(&name, &text, &done.text))?;
            continue;
        }
        files::write(&name, &done.text)?;
        for condition in &done.changed {
            let what = whose(condition.kind, &condition.name);
            writeln!(out, "{name}:{}: formatted the condition of {what}", condition.place.line)?;
        }
    }
    if findings { Err(Fail::findings()) } else { Ok(()) }
}

fn whose(kind: ItemKind, name: &str) -> String {
    format!("{} `{}`", kind.word(), eyas_event::text::escape(name.as_bytes()))
}
