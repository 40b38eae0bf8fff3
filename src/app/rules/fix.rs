//! `eyas rules fix`: applies the mends of diagnostics. Standard output says what was done, or holds the diff of what would be;
//! standard error tells which guesses were left to a person, and how many errors.

use std::io::Write;
use std::path::PathBuf;

use eyas_engine::Loader;
use eyas_engine::fix::{Mend, Take};
use eyas_event::text::escape;

use crate::fail::{Fail, Outcome};
use crate::settings::Settings;

use super::files;

/// Mends files, or with `dry_run` says what would change. Ends with findings when errors are left.
pub(crate) fn fix(settings: &Settings, paths: &[PathBuf], take: Take, dry_run: bool) -> Outcome {
    let dialect = settings.dialect;
    let mut files = files::read(&settings.base_rules)?;
    let bases = files.len();
    files.extend(files::read(paths)?);
    let mut out = std::io::stdout().lock();
    let mut loader = files[..bases].iter().cloned().fold(Loader::new().dialect(dialect), Loader::add);
    let mended = eyas_engine::fix(files.clone(), bases, dialect, take);
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
            writeln!(out, "{}", line(&old.name, applied))?;
        }
    }
    let mut guesses = 0;
    let mut err = std::io::stderr().lock();
    for mended in &mended {
        for guess in &mended.left {
            guesses += 1;
            writeln!(err, "{}", line(&mended.file.name, guess))?;
        }
    }
    match guesses {
        0 => {}
        1 => writeln!(err, "1 guess is left; --guesses takes it")?,
        n => writeln!(err, "{n} guesses are left; --guesses takes them")?,
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
            writeln!(err, "{errors} left, which `eyas rules check` shows")?;
            Err(Fail::findings())
        }
    }
}

/// A mend in one line: where, what is wrong, what it does.
fn line(file: &str, mend: &Mend) -> String {
    let (message, title) = (escape(mend.message.as_bytes()), escape(mend.title.as_bytes()));
    format!("{}:{}: {message} [{}]: {title}", escape(file.as_bytes()), mend.place.line, mend.code)
}
