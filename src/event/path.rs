//! Paths as text: joined with the directory they start at, `.` and `..` folded away, symlinks left alone. This is how
//! Falco forms `fd.name`; what the kernel resolved is `fd.realpath`.

/// Appends `given`, made absolute from `base` and folded. An empty `given` appends nothing; a `base` that does not
/// begin with a slash is taken as it is.
pub fn write_absolute(base: &[u8], given: &[u8], out: &mut Vec<u8>) {
    if given.is_empty() {
        return;
    }
    let begin = out.len();
    if !given.starts_with(b"/") {
        fold(base, begin, out);
    }
    fold(given, begin, out);
    if out.len() == begin {
        out.push(b'/');
    }
}

/// Appends the components of `path` to the text that starts at `begin`, taking one off for each `..`.
fn fold(path: &[u8], begin: usize, out: &mut Vec<u8>) {
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let last = out[begin..].iter().rposition(|b| *b == b'/').unwrap_or(0);
                out.truncate(begin + last);
            }
            name => {
                out.push(b'/');
                out.extend_from_slice(name);
            }
        }
    }
}

/// The part before the last slash; `/` for what lies in the root. `None` when there is no slash.
pub fn directory(path: &[u8]) -> Option<&[u8]> {
    match path.iter().rposition(|b| *b == b'/') {
        Some(0) => Some(b"/"),
        Some(at) => Some(&path[..at]),
        None => None,
    }
}

/// The part after the last slash; the whole when there is none.
pub fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fold_like_falcos() {
        for (base, given, want) in [
            ("/root/", "../etc/./shadow file", "/etc/shadow file"),
            ("/root", "etc/../x", "/root/x"),
            ("/a", "/b//c/", "/b/c"),
            ("/", "..", "/"),
            ("/a/b", "../../../..", "/"),
            ("", "x", "/x"),
        ] {
            let mut out = b"kept".to_vec();
            write_absolute(base.as_bytes(), given.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), format!("kept{want}"), "{base} {given}");
        }
        assert_eq!(directory(b"/etc/shadow"), Some(&b"/etc"[..]));
        assert_eq!(directory(b"/etc"), Some(&b"/"[..]));
        assert_eq!(file_name(b"/etc/shadow"), b"shadow");
    }
}
