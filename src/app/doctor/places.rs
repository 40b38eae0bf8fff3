//! What lies on disk: the store and the space for it, the configuration.

use std::path::Path;
use std::time::Duration;

use eyas_store::{Checked, Store, StoreError};
use rustix::fs::{Access, AtFlags, CWD};
use serde_json::json;

use super::{Finding, Part, State};
use crate::fail::store_text;
use crate::settings::Settings;

/// For how long a store is looked through for damage.
const LOOK: Duration = Duration::from_secs(2);

/// Looks at the store.
pub(super) fn store(settings: &Settings) -> Part {
    let path = &settings.store;
    let (mut alerts, mut checked) = (None, None);
    let (state, says) = match writable(path) {
        Err(why) => (State::Bad, why),
        Ok(()) if path.exists() => match read(path) {
            Ok((count, how_much)) => {
                (alerts, checked) = (Some(count), Some(how_much));
                let sound = match how_much {
                    Checked::Whole => "every page is sound",
                    Checked::Partly => "sound as far as two seconds of looking went",
                };
                (State::Good, format!("{}: {count} alerts; {sound}", path.display()))
            }
            // Elsewhere the mend has a line of its own.
            Err(error) => (State::Bad, store_text(path, &error).replace("\n  ", "; ")),
        },
        Ok(()) => (State::Good, format!("{}: not there yet, the first run makes it", path.display())),
    };
    let why = (state == State::Bad).then(|| says.clone());
    let mut findings = vec![Finding::new("store", state, says)];
    let free = standing(path).and_then(|at| rustix::fs::statvfs(at).ok());
    let free = free.map(|free| free.f_bavail.saturating_mul(free.f_frsize));
    let limit = settings.config.eyas.record_limit_mib;
    if let Some(free) = free.map(|bytes| bytes >> 20) {
        let (state, more) = if settings.config.eyas.record && free < limit {
            (State::Note, format!("; the recording may take {limit} MiB (eyas.record_limit_mib)"))
        } else {
            (State::Good, String::new())
        };
        findings.push(Finding::new("space", state, format!("{free} MiB free{more}")));
    }
    let object = json!({
        "path": path.display().to_string(),
        "works": why.is_none(),
        "why_not": why,
        "alerts": alerts,
        "checked": checked.map(|how_much| match how_much {
            Checked::Whole => "whole",
            Checked::Partly => "partly",
        }),
        "free_bytes": free,
        "record_limit_bytes": limit << 20,
    });
    Part { heading: "Store", key: "store", findings, object }
}

/// Counts the alerts and looks for damage.
fn read(path: &Path) -> Result<(u64, Checked), StoreError> {
    let reader = Store::open_read(path)?.blocking();
    Ok((reader.alert_count()?, reader.check(LOOK)?))
}

/// Whether a run could write the store, without trying: `SQLite` needs the file and its directory.
fn writable(path: &Path) -> Result<(), String> {
    let Some(at) = standing(path) else { return Err(format!("{}: there is no such place", path.display())) };
    let file = at == path;
    let dir =
        if file { path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")) } else { at };
    if !dir.is_dir() {
        return Err(format!("cannot make {}: {} is not a directory", path.display(), dir.display()));
    }
    let asked = [(dir, Access::WRITE_OK | Access::EXEC_OK), (path, Access::READ_OK | Access::WRITE_OK)];
    for (place, access) in asked.into_iter().take(if file { 2 } else { 1 }) {
        rustix::fs::accessat(CWD, place, access, AtFlags::EACCESS).map_err(|e| {
            let what = if file { "write" } else { "make" };
            format!("cannot {what} {}: {}: {}", path.display(), place.display(), std::io::Error::from(e))
        })?;
    }
    Ok(())
}

/// The path, or the nearest directory above it that is there.
fn standing(path: &Path) -> Option<&Path> {
    let here = |p: &Path| if p.as_os_str().is_empty() { Path::new(".").exists() } else { p.exists() };
    let found = path.ancestors().find(|p| here(p))?;
    Some(if found.as_os_str().is_empty() { Path::new(".") } else { found })
}

/// Looks at the keys that do nothing.
pub(super) fn configuration(settings: &Settings) -> Part {
    let keys: Vec<&str> = settings.config.unused.keys().map(String::as_str).collect();
    let mut findings = Vec::new();
    if !keys.is_empty() {
        let says = format!("this version does not use {}", keys.join(", "));
        findings.push(Finding::new("keys", State::Note, says));
    }
    let object = json!({"unused_keys": keys});
    Part { heading: "Configuration", key: "configuration", findings, object }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_store_that_cannot_be_made_says_why() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(writable(&dir.path().join("not/yet/there/eyas.db")), Ok(()));
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(writable(&file), Ok(()));
        let below = writable(&file.join("eyas.db")).unwrap_err();
        assert!(below.contains("is not a directory"), "{below}");
    }
}
