//! The tables never leave out what is wanted; and where nothing makes them coarse, they leave out all that is not. They
//! are asked by the very code that the kernel half runs.

use std::fmt::Write as _;

use eyas_ebpf::filter::{
    Glance, LONGEST, LONGEST_FILE, Tables as _, Whose, admits_file, comparable, glance, way,
};
use eyas_ebpf::refused::{Asked, Memory};
use eyas_event::path::write_absolute;
use eyas_event::{Among, OpenWant, Opening, Opens, Outcome, PathTest, Ways};
use proptest::prelude::*;

use super::{Tables, compile, leaf_first};

const OUTCOMES: [Outcome; 3] = [Outcome::Failed, Outcome::Made, Outcome::Created];

/// An opening as the kernel half sees it.
struct Seen<'a> {
    outcome: usize,
    read: bool,
    write: bool,
    given: &'a [u8],
    /// The path of the file that it leads to.
    real: &'a [u8],
    comm: &'a [u8],
}

fn name(comm: &[u8]) -> [u64; 2] {
    let mut bytes = [0; 16];
    bytes[..comm.len()].copy_from_slice(comm);
    let word = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().expect("sixteen bytes"));
    [word(0), word(8)]
}

fn admits(tables: &Tables, number: u32, given: &[u8], comm: &[u8]) -> bool {
    let byte = |at: u32| match given.get(at as usize) {
        Some(byte) => *byte,
        None if at as usize == given.len() => 0,
        None => panic!("byte {at} of {} was asked for", given.len()),
    };
    let whose = |whose| Some(if whose == Whose::Thread { name(comm) } else { name(LEADER) });
    let admitted = match glance(&tables, number, whose) {
        Glance::Wanted => true,
        Glance::Unwanted => false,
        Glance::Ask(ask) => ask.admits(&tables, byte),
    };
    if (given.len() as u32) < LONGEST {
        assert_eq!(refuses(&mut Memory::default(), tables, 1, number, given, comm), !admitted);
    }
    admitted
}

/// Whether the file that was opened decides for it.
fn admits_real(tables: &Tables, number: u32, real: &[u8], comm: &[u8]) -> bool {
    let names = as_walked(real);
    let whose = |whose| Some(if whose == Whose::Thread { name(comm) } else { name(LEADER) });
    admits_file(&tables, number, whose, names.len() as u32, |at| names[at as usize])
}

/// A path as a record has it.
fn as_walked(path: &[u8]) -> Vec<u8> {
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).rev();
    names.flat_map(|name| [name, b"\0"].concat()).chain([0]).collect()
}

const LEADER: &[u8] = b"a leader";

/// What is remembered or else asked.
fn refuses(memory: &mut Memory, tables: &Tables, number: u64, way: u32, given: &[u8], comm: &[u8]) -> bool {
    let byte = |at: u32| given.get(at as usize).copied().unwrap_or(0);
    // Behind the NUL is anything: here the bits of what a word before held.
    let word = |at: u32| {
        let byte = |n: u32| {
            let at = at * 8 + n;
            if at as usize <= given.len() { byte(at) } else { b'?' ^ n as u8 }
        };
        u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(byte))
    };
    let (thread, leader, len) = (name(comm), name(LEADER), given.len() as u32 + 1);
    memory.refuses(&Asked { tables: number, thread, leader, way, len }, &tables, word, byte)
}

/// Whether the tables admit it; with an assertion that they do if it is wanted.
fn check(opens: &Opens, tables: &Tables, seen: &Seen<'_>, base: &[u8]) -> (bool, bool) {
    let mut path = Vec::new();
    write_absolute(base, seen.given, &mut path);
    let made = OUTCOMES[seen.outcome] != Outcome::Failed;
    let opening = |way| Opening {
        way,
        path: &path,
        given: seen.given,
        real: if made { seen.real } else { b"" },
        comm: seen.comm,
    };
    let wanted = opens.admits(opening(Ways::one(OUTCOMES[seen.outcome], seen.read, seen.write)));
    let number = way(seen.outcome as u32, Some((seen.read, seen.write)));
    let admits = |number| {
        admits(tables, number, seen.given, seen.comm)
            || made && admits_real(tables, number, seen.real, seen.comm)
    };
    let admitted = admits(number);
    assert!(admitted || !wanted, "{} of {opens:?}", seen.given.escape_ascii());
    let wanted_of_creat = opens.admits(opening(Ways::creat(OUTCOMES[seen.outcome])));
    let admitted_of_creat = admits(way(seen.outcome as u32, None));
    assert!(admitted_of_creat || !wanted_of_creat, "creat of {} of {opens:?}", seen.given.escape_ascii());
    (wanted, admitted)
}

/// Texts over few letters, so that tests meet, overlap and fold.
fn text(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"/./ab\xff".to_vec()), 0..=longest)
}

fn path_test() -> impl Strategy<Value = PathTest> {
    (0..4, text(6)).prop_map(|(kind, text)| match kind {
        0 => PathTest::Is([b"/", &*text].concat().into()),
        1 => PathTest::Begins(text.into()),
        2 => PathTest::Ends(text.into()),
        _ => PathTest::Holds(text.into()),
    })
}

fn among<T: std::fmt::Debug>(one: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = Among<T>> {
    let some = prop::collection::vec(one, 0..5).prop_map(|all| Among::These(all.into()));
    prop_oneof![1 => Just(()).prop_map(|()| Among::Any), 3 => some]
}

const COMMS: [&[u8]; 4] = [b"cat", b"tar", b"fifteen-letters", b""];

/// By the path as given, or by the file, too.
fn want(by_file: bool) -> impl Strategy<Value = OpenWant> {
    // The empty name stands for any.
    let comm = prop::sample::select(COMMS[..3].to_vec()).prop_map(Box::from);
    (
        prop::sample::subsequence((0..15).collect::<Vec<_>>(), 1..8),
        among(path_test()),
        among(path_test()),
        among(path_test()),
        among(comm),
    )
        .prop_map(move |(bits, path, given, real, comm)| {
            let one = |bit: usize| match bit.checked_sub(12) {
                Some(outcome) => Ways::creat(OUTCOMES[outcome]),
                None => Ways::one(OUTCOMES[bit >> 2], bit & 1 != 0, bit & 2 != 0),
            };
            let ways = bits.into_iter().fold(Ways::NONE, |ways, bit| ways.or(one(bit)));
            let real = if by_file { real } else { Among::Any };
            OpenWant { ways, path, given, real, comm }
        })
}

fn opens(most: usize, by_file: bool) -> impl Strategy<Value = Opens> {
    prop::collection::vec(want(by_file), 0..most)
        .prop_map(|wants| wants.into_iter().fold(Opens::none(), |all, want| all.or(&Opens::one(want))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_wanted_is_left_out(
        opens in opens(6, false),
        paths in prop::collection::vec((any::<bool>(), text(9)), 20),
        base in text(4),
    ) {
        let tables = compile(&opens);
        let base = [b"/", &*base].concat();
        for (n, (rooted, path)) in paths.iter().enumerate() {
            let given = if *rooted { [b"/", &**path].concat() } else { path.clone() };
            for bits in 0..12 {
                let (outcome, read, write) = (bits >> 2, bits & 1 != 0, bits & 2 != 0);
                let seen = Seen { outcome, read, write, given: &given, real: b"/", comm: COMMS[(n + bits) % COMMS.len()] };
                let (wanted, admitted) = check(&opens, &tables, &seen, &base);
                // A path that is its own absolute form is decided exactly.
                let mut folded = Vec::new();
                write_absolute(b"", &given, &mut folded);
                if given.starts_with(b"/") && given != b"/" && folded == given {
                    prop_assert_eq!(wanted, admitted, "{} of {:?}", given.escape_ascii(), opens);
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_wanted_for_the_file_is_left_out(
        opens in opens(6, true),
        paths in prop::collection::vec((text(9), text(9)), 20),
    ) {
        let tables = compile(&opens);
        for (n, (given, real)) in paths.iter().enumerate() {
            let given = [b"/", &**given].concat();
            let mut folded = Vec::new();
            write_absolute(b"/", real, &mut folded);
            for bits in 0..12 {
                let (outcome, read, write) = (bits >> 2, bits & 1 != 0, bits & 2 != 0);
                let comm = COMMS[(n + bits) % COMMS.len()];
                check(&opens, &tables, &Seen { outcome, read, write, given: &given, real: &folded, comm }, b"/");
            }
        }
    }

    #[test]
    fn what_is_remembered_is_what_the_tables_say(
        before in opens(6, true),
        after in opens(6, true),
        asked in prop::collection::vec((text(3), 0..3_usize, 0..15_u32, 0..70_usize, 0..COMMS.len()), 200),
    ) {
        let mut memory = Memory::default();
        for (number, tables) in (1..).zip([compile(&before), compile(&after)]) {
            for (path, kind, way, longer, comm) in &asked {
                let given = match kind {
                    0 => [b"/", &**path].concat(),
                    1 => path.clone(),
                    // Paths that begin alike, of every length that is kept and some that are not.
                    _ => [b"/".repeat(*longer), path.clone()].concat(),
                };
                let comm = COMMS[*comm];
                let refused = refuses(&mut memory, &tables, number, *way, &given, comm);
                prop_assert_eq!(refused, !admits(&tables, *way, &given, comm), "{}", given.escape_ascii());
            }
        }
    }

    #[test]
    fn nor_when_there_are_too_many_to_tell_apart(opens in opens(90, true), path in text(9)) {
        let tables = compile(&opens);
        let given = [b"/", &*path].concat();
        let mut real = Vec::new();
        write_absolute(b"/", &given, &mut real);
        for (bits, comm) in (0..12).zip(COMMS.into_iter().cycle()) {
            let (outcome, read, write) = (bits >> 2, bits & 1 != 0, bits & 2 != 0);
            check(&opens, &tables, &Seen { outcome, read, write, given: &given, real: &real, comm }, b"/");
        }
    }
}

fn read_of<'a>(given: &'a [u8], comm: &'a [u8]) -> Seen<'a> {
    Seen { outcome: 1, read: true, write: false, given, real: given, comm }
}

#[test]
fn rules_too_large_for_the_tables_are_cut_and_leave_out_nothing() {
    // Four thousand paths of sixty bytes each would take many times what there is.
    let paths: Vec<String> = (0..4000)
        .map(|n: u32| {
            let mut path = format!("/srv/{:x}", n.wrapping_mul(0x9e37_79b9));
            while path.len() < 60 {
                write!(path, "/{:x}", n.wrapping_mul(path.len() as u32))
                    .expect("writing to a String cannot fail");
            }
            path
        })
        .collect();
    let tests: Vec<_> = paths.iter().map(|path| PathTest::Is(path.as_bytes().into())).collect();
    let these = Among::These(tests.into());
    let by_path = Opens::one(OpenWant { path: these.clone(), ..OpenWant::ALL });
    let by_file = Opens::one(OpenWant { real: these, ..OpenWant::ALL });
    let both = by_path.or(&by_file);
    let linked = |real| Seen { real, ..read_of(b"/link", b"cat") };
    for (opens, is_by_path, is_by_file) in
        [(by_path, true, false), (by_file, false, true), (both, true, true)]
    {
        let tables = compile(&opens);
        for path in &paths {
            if is_by_path {
                assert!(check(&opens, &tables, &read_of(path.as_bytes(), b"cat"), b"/").1);
            }
            if is_by_file {
                assert!(check(&opens, &tables, &linked(path.as_bytes()), b"/").1);
            }
        }
        if !(is_by_path && is_by_file) {
            assert!(!check(&opens, &tables, &read_of(b"/etc/hostname", b"cat"), b"/").1);
        }
    }
}

#[test]
fn alternatives_beyond_those_that_a_mask_has_are_joined_with_their_like() {
    let test =
        |n: u32, text: &str| Among::These([PathTest::Is(format!("/{text}/{n}").into_bytes().into())].into());
    let comm = |n: u32| Among::These([format!("program-{n}").into_bytes().into_boxed_slice()].into());
    let wants = (0..40).flat_map(|n| {
        let by_path = OpenWant { path: test(n, "path"), comm: comm(n), ..OpenWant::ALL };
        [by_path, OpenWant { real: test(n, "file"), comm: comm(n), ..OpenWant::ALL }]
    });
    let opens = wants.fold(Opens::none(), |all, want| all.or(&Opens::one(want)));
    assert_eq!(opens.wants().len(), 80);
    let tables = compile(&opens);
    for n in 0..40 {
        let (path, file, name) = (format!("/path/{n}"), format!("/file/{n}"), format!("program-{n}"));
        let linked = |real| Seen { real, ..read_of(b"/link", name.as_bytes()) };
        assert!(check(&opens, &tables, &read_of(path.as_bytes(), name.as_bytes()), b"/").1);
        assert!(check(&opens, &tables, &linked(file.as_bytes()), b"/").1);
        assert!(!check(&opens, &tables, &linked(b"/etc/hostname"), b"/").1);
    }
}

#[test]
fn a_test_of_the_file_that_admits_all_is_not_asked_of_the_file() {
    let real = Among::These([PathTest::Begins(b"/proc"[..].into())].into());
    let tables = compile(&Opens::one(OpenWant { real, ..OpenWant::ALL }));
    let number = way(1, Some((true, false)));
    assert!(admits(&tables, number, b"/etc/hostname", b"cat"));
    assert!(!admits_real(&tables, number, b"/etc/hostname", b"cat"));
}

#[test]
fn names_without_room_stand_for_any() {
    let names: Vec<Box<[u8]>> = (0..2000).map(|n| format!("program-{n}").into_bytes().into()).collect();
    let opens = Opens::one(OpenWant { comm: Among::These(names.clone().into()), ..OpenWant::ALL });
    let tables = compile(&opens);
    for name in &names {
        assert!(check(&opens, &tables, &read_of(b"/x", name), b"/").1);
    }
}

#[test]
fn the_empty_name_is_admitted() {
    let opens = Opens::one(OpenWant { comm: Among::These([b""[..].into()].into()), ..OpenWant::ALL });
    assert!(check(&opens, &compile(&opens), &read_of(b"/x", b""), b"/").1);
}

#[test]
fn a_file_is_known_by_its_names_from_the_leaf_up() {
    use PathTest::{Begins, Ends, Holds, Is};
    let of = |test: fn(Box<[u8]>) -> PathTest, text: &str| test(text.as_bytes().into());
    for (test, passes, fails) in [
        (of(Is, "/etc/shadow"), "/etc/shadow", "/etc/shadow-"),
        (of(Is, "/etc/shadow"), "/etc/shadow", "/srv/etc/shadow"),
        (of(Is, "/"), "/", "/etc"),
        (of(Begins, "/etc/sudoers.d/"), "/etc/sudoers.d/local", "/etc/sudoers"),
        (of(Begins, "/etc/ssh/ssh_host_"), "/etc/ssh/ssh_host_rsa_key", "/srv/etc/ssh/ssh_host_rsa_key"),
        (of(Ends, "/.ssh"), "/root/.ssh", "/root/.ssh/known_hosts"),
        (of(Ends, "ssh"), "/root/.ssh", "/root/.ssha"),
        (of(Ends, "root/.ssh"), "/root/.ssh", "/.ssh/root"),
        (of(Holds, "/.ssh/id_"), "/root/.ssh/id_rsa", "/root/ssh/id_rsa"),
        (of(Holds, "oot/i"), "/root/id", "/roots/id"),
        (of(Holds, "/id"), "/root/id_rsa", "/root/i/d"),
        (of(Holds, "sha"), "/etc/shadow", "/etc/sh/adow"),
    ] {
        let real = Among::These([test.clone()].into());
        let opens = Opens::one(OpenWant { real, ..OpenWant::ALL });
        let tables = compile(&opens);
        for (real, admitted) in [(passes, true), (fails, false)] {
            let seen = Seen { real: real.as_bytes(), ..read_of(b"/link", b"cat") };
            assert_eq!(check(&opens, &tables, &seen, b"/").1, admitted, "{test:?} of {real}");
        }
    }
    assert_eq!(leaf_first(&of(Is, "etc/shadow")), None);
    assert_eq!(leaf_first(&of(Begins, "/etc//ssh/")), None);
    assert_eq!(leaf_first(&of(Holds, "etc//ssh/")), None);
}

#[test]
fn what_has_no_place_or_is_too_long_is_admitted() {
    let real = Among::These([PathTest::Is(b"/x"[..].into())].into());
    let opens = Opens::one(OpenWant { real, ..OpenWant::ALL });
    let tables = compile(&opens);
    let number = way(1, Some((true, false)));
    let asked = |names: &[u8]| {
        let whose = |_| Some(name(b"cat"));
        admits_file(&&*tables, number, whose, names.len() as u32, |at| names[at as usize])
    };
    assert!(asked(b"") && asked(b"memfd:x\0") && asked(b"x\0\0"));
    assert!(!asked(b"y\0\0") && !asked(b"\0"));
    let longest = [vec![b'a'; LONGEST_FILE as usize - 2], vec![0, 0]].concat();
    assert!(!asked(&longest) && asked(&[b"a", &*longest].concat()));
    assert!(!admits_real(&tables, way(0, Some((true, false))), b"/x", b"cat"), "what failed led to no file");
}

#[test]
fn a_path_longer_than_the_loop_is_admitted() {
    let path = Among::These([PathTest::Ends(b"z"[..].into())].into());
    let opens = Opens::one(OpenWant { path, ..OpenWant::ALL });
    let tables = compile(&opens);
    for (len, admitted) in [(LONGEST - 1, false), (LONGEST, true), (LONGEST + 1, true)] {
        let given = [b"/", &*vec![b'a'; len as usize - 1]].concat();
        assert_eq!(check(&opens, &tables, &read_of(&given, b"cat"), b"/").1, admitted, "{len}");
    }
}

#[test]
fn tables_that_nobody_wrote_admit_everything() {
    let tables: Box<Tables> =
        vec![0; eyas_ebpf::filter::ALL_WORDS].into_boxed_slice().try_into().expect("as many");
    let tables: &Tables = &tables;
    assert_eq!(tables.word(u64::MAX), 0);
    assert!((0..15).all(|number| admits(tables, number, b"/etc/hostname", b"cat")));
}

#[test]
fn a_name_ends_at_its_nul() {
    let words = |bytes: &[u8; 16]| {
        let word = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().expect("sixteen bytes"));
        [word(0), word(8)]
    };
    for (kept, told) in [
        (b"tar\0rest of it\0\0", b"tar\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        (b"eight888\0of it\0\0", b"eight888\0\0\0\0\0\0\0\0"),
        (b"fifteen-letters\0", b"fifteen-letters\0"),
        (b"\0\x01\xff\x80 of before\0\0", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ] {
        assert_eq!(comparable(words(kept)), words(told));
    }
}
