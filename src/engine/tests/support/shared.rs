//! Where the reference files lie: beside the checkout, or where `EYAS_SHARED` says. Without them a test says why and skips.

use std::path::PathBuf;

/// The folder of the reference files.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: no reference files at {}", path.display());
    None
}
