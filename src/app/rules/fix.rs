//! `eyas rules fix`: applies the mends of diagnostics. Standard output says what was done, or holds the diff of what would be;
//! standard error tells how many errors only a person can mend.

use std::io::Write;
use std::path::PathBuf;

use eyas_engine::Loader;

use crate::fail::{Fail, Outcome};
use crate::settings::Settings;

use super::files;

/// Mends files, or with `dry_run` says what would change. Ends with findings when errors are left.
pub(crate) fn fix(settings: &Settings, paths: &[PathBuf], dry_run: bool) -> Outcome {
    let dialect = settings.dialect;
    let mut files = files::read(&settings.base_rules)?;
    let bases = files.len();
    files.extend(files::read(paths)?);
    let mut out = std::io::stdout().lock();
    let mut loader = files[..bases].iter().cloned().fold(Loader::new().dialect(dialect), Loader::add);
    let mended = eyas_engine::fix(files.clone(), bases, dialect);
    for (old, new) in files[bases..].iter().zip(&mended) {
        loader = loader.add(new.file.clone());
        if old.text == new.file.text {
            continue;
        }
        if dry_run {
            write!(out, "{}", files::diff(&old.name, &old.text, &new.file.text))?;
            continue;
        }
        files::write(&old.name, &new.file.text)?;
        for applied in &new.applied {
            let message = eyas_event::text::escape(applied.message.as_bytes());
            let done = eyas_event::text::escape(applied.title.as_bytes());
            writeln!(out, "{}:{}: {message} [{}]: {done}", old.name, applied.place.line, applied.code)?;
        }
    }
    let left = loader
        .finish()
        .diagnostics
        .into_iter()
        .filter(|d| d.is_error() && d.place().is_none_or(|span| span.source.0 as usize >= bases));
    match left.count() {
        0 => Ok(()),
        n => {
            let errors = if n == 1 { "1 error is" } else { &format!("{n} errors are") };
            writeln!(std::io::stderr(), "{errors} left, which `eyas rules check` shows")?;
            Err(Fail::findings())
        }
    }
}
