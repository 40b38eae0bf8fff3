//! Tests of a path as tests of its names from the leaf up, a NUL behind each and an empty one at the end, which is how the kernel
//! half walks it: `/etc/shadow` is `shadow NUL etc NUL NUL`. Where a test has no such form, one that admits more stands for it.

use eyas_event::PathTest;

/// The test of the names of paths that are absolute and folded; `None` where no such path can pass.
pub(super) fn leaf_first(test: &PathTest) -> Option<PathTest> {
    let everything = PathTest::Begins(Box::default());
    Some(match test {
        PathTest::Is(text) => PathTest::Is(whole(text)?.into()),
        PathTest::Begins(text) if text.is_empty() => everything,
        PathTest::Begins(text) => {
            // The last name may go on; those above it are whole.
            match text.rsplitn(2, |byte| *byte == b'/').nth(1)? {
                [] => everything,
                above => PathTest::Ends([b"\0", &*whole(above)?].concat().into()),
            }
        }
        PathTest::Ends(text) => match text.iter().position(|byte| *byte == b'/') {
            _ if text.is_empty() || text.ends_with(b"/") => everything,
            Some(slash) => PathTest::Begins(upwards(parts(&text[slash + 1..])).into()),
            // That it is the leaf is not asked.
            None => PathTest::Holds([text, &b"\0"[..]].concat().into()),
        },
        PathTest::Holds(text) => {
            // The first part ends a name, the last begins one, and those between are whole.
            let parts: Vec<&[u8]> = parts(text).collect();
            match &parts[..] {
                [] | [[]] | [[], []] => everything,
                [part] | [[], part] => PathTest::Holds((*part).into()),
                [first, _] => PathTest::Holds([first, &b"\0"[..]].concat().into()),
                [_, between @ .., _] if between.contains(&&b""[..]) => return None,
                [_, between @ .., _] => {
                    PathTest::Holds([b"\0", &*upwards(between.iter().copied())].concat().into())
                }
            }
        }
    })
}

/// What stands between slashes.
fn parts(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    text.split(|byte| *byte == b'/')
}

/// All names of a path; `None` when it is not absolute and folded.
fn whole(path: &[u8]) -> Option<Vec<u8>> {
    let below = path.strip_prefix(b"/")?;
    if below.is_empty() {
        return Some(vec![0]);
    }
    let names = parts(below);
    if names.clone().any(|name| matches!(name, b"" | b"." | b"..")) {
        return None;
    }
    Some([&*upwards(names), b"\0"].concat())
}

fn upwards<'n>(names: impl DoubleEndedIterator<Item = &'n [u8]>) -> Vec<u8> {
    names.rev().flat_map(|name| name.iter().copied().chain([0])).collect()
}
