//! Paths as the kernel half writes them: the names from the leaf up to the root, each with a NUL behind it, and an
//! empty name for the root itself.
//!
//! `/etc/hosts` is `hosts\0etc\0\0`, `/` is `\0`, a memfd (which has no root) is `memfd:name\0`. No bytes at all say that
//! there is no path. A path without the empty name at its end does not start at a root, or was cut off there.

use crate::layout::Sink;

/// The names of a path from the root down; see [`components`].
#[derive(Clone, Debug)]
pub struct Components<'b> {
    rest: &'b [u8],
}

impl<'b> Iterator for Components<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        while let [rest @ .., 0] = self.rest {
            self.rest = rest;
        }
        let start = self.rest.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1);
        let (rest, name) = self.rest.split_at_checked(start)?;
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }
}

/// The names in a leaf-first path, from the root down. The root's own empty name is not among them.
pub fn components(section: &[u8]) -> Components<'_> {
    Components { rest: section }
}

/// Whether a leaf-first path reaches up to a root, so that it is absolute and whole.
pub fn is_rooted(section: &[u8]) -> bool {
    section == b"\0" || section.ends_with(b"\0\0")
}

/// Writes a leaf-first path as text: `/etc/hosts`, `memfd:name`. Of a path that was cut off it writes what is there,
/// without a slash before it.
pub fn write_path(section: &[u8], sink: &mut impl Sink) {
    let rooted = is_rooted(section);
    if section == b"\0" {
        sink.put(b"/");
    }
    for (index, name) in components(section).enumerate() {
        if rooted || index > 0 {
            sink.put(b"/");
        }
        sink.put(name);
    }
}
