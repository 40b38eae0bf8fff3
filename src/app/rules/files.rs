//! Rule files that a command reads and writes again. Writing is all or nothing: a temporary file beside the old one takes its
//! place, with its permissions, so that neither a crash nor an eyas that watches the file ever sees half of it.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use eyas_engine::SourceFile;
use similar::TextDiff;

use crate::fail::Fail;

/// Reads files; a directory stands for its `.yaml` and `.yml` files in order of name.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<SourceFile>, Fail> {
    let mut files = Vec::new();
    for path in paths {
        for file in expand(path)? {
            let text = std::fs::read_to_string(&file).map_err(|e| named(&file, &e))?;
            files.push(SourceFile::new(file.display().to_string(), text));
        }
    }
    Ok(files)
}

fn named(path: &Path, error: &std::io::Error) -> Fail {
    Fail::environment(format!("{}: {error}", path.display()))
}

fn expand(path: &Path) -> Result<Vec<PathBuf>, Fail> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|e| named(path, &e))? {
        let file = entry.map_err(|e| named(path, &e))?.path();
        if file.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Puts a text in the place of a file's. Where the name is a link, the file behind it is written.
pub(crate) fn write(name: &str, text: &str) -> Result<(), Fail> {
    let path = Path::new(name);
    replace(path, text).map_err(|e| named(path, &e))
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let old = std::fs::metadata(&path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new().prefix(".eyas-").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    let fresh = new.as_file().metadata()?;
    if (fresh.uid(), fresh.gid()) != (old.uid(), old.gid()) {
        chown(new.path(), Some(old.uid()), Some(old.gid()))?;
    }
    // After the owner, since a change of owner takes the set-id bits away.
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path).map_err(|e| e.error)?;
    Ok(())
}

/// What changed in a file, as a unified diff.
pub(crate) fn diff(name: &str, old: &str, new: &str) -> String {
    let label = name.trim_start_matches('/');
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{label}"), &format!("b/{label}"))
        .to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yaml");
        let link = dir.path().join("link.yaml");
        std::fs::write(&file, "old\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(link.to_str().unwrap(), "new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(read(&[dir.path().to_owned()]).unwrap().len(), 2);
    }

    #[test]
    fn a_diff_can_be_applied() {
        let text = diff("/etc/eyas/a.yaml", "a\nb\n", "a\nc\n");
        assert_eq!(text, "--- a/etc/eyas/a.yaml\n+++ b/etc/eyas/a.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    }
}
