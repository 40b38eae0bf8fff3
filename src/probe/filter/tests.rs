//! The tables never leave out what is wanted; and where nothing makes them coarse, they leave out all that is not. They
//! are asked by the very code that the kernel half runs.

use std::fmt::Write as _;

use eyas_ebpf::filter::{Glance, LONGEST, Tables as _, Whose, comparable, glance, way};
use eyas_ebpf::refused::{Asked, Memory};
use eyas_event::path::write_absolute;
use eyas_event::{Among, OpenWant, Opening, Opens, Outcome, PathTest, Ways};
use proptest::prelude::*;

use super::{Tables, compile};

const OUTCOMES: [Outcome; 3] = [Outcome::Failed, Outcome::Made, Outcome::Created];

/// An opening as the kernel half sees it.
struct Seen<'a> {
    outcome: usize,
    read: bool,
    write: bool,
    given: &'a [u8],
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
    let opening = |read, write| Opening {
        way: Ways::one(OUTCOMES[seen.outcome], read, write),
        path: &path,
        given: seen.given,
        comm: seen.comm,
    };
    let wanted = opens.admits(opening(seen.read, seen.write));
    let number = way(seen.outcome as u32, Some((seen.read, seen.write)));
    let admitted = admits(tables, number, seen.given, seen.comm);
    assert!(admitted || !wanted, "{} of {opens:?}", seen.given.escape_ascii());
    // creat asks for writing, and its event says that it asks for nothing.
    let wanted_of_creat = opens.admits(opening(false, true))
        || opens.admits(opening(false, false))
        || opens.admits(opening(true, false));
    let admitted_of_creat = admits(tables, way(seen.outcome as u32, None), seen.given, seen.comm);
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

fn want() -> impl Strategy<Value = OpenWant> {
    // The empty name stands for any.
    let comm = prop::sample::select(COMMS[..3].to_vec()).prop_map(Box::from);
    (
        prop::sample::subsequence((0..12).collect::<Vec<_>>(), 1..8),
        among(path_test()),
        among(path_test()),
        among(comm),
    )
        .prop_map(|(bits, path, given, comm)| {
            let one = |bit: usize| Ways::one(OUTCOMES[bit >> 2], bit & 1 != 0, bit & 2 != 0);
            let ways = bits.into_iter().fold(Ways::NONE, |ways, bit| ways.or(one(bit)));
            OpenWant { ways, path, given, comm }
        })
}

fn opens(most: usize) -> impl Strategy<Value = Opens> {
    prop::collection::vec(want(), 0..most)
        .prop_map(|wants| wants.into_iter().fold(Opens::none(), |all, want| all.or(&Opens::one(want))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_wanted_is_left_out(
        opens in opens(6),
        paths in prop::collection::vec((any::<bool>(), text(9)), 20),
        base in text(4),
    ) {
        let tables = compile(&opens);
        let base = [b"/", &*base].concat();
        for (n, (rooted, path)) in paths.iter().enumerate() {
            let given = if *rooted { [b"/", &**path].concat() } else { path.clone() };
            for bits in 0..12 {
                let (outcome, read, write) = (bits >> 2, bits & 1 != 0, bits & 2 != 0);
                let seen = Seen { outcome, read, write, given: &given, comm: COMMS[(n + bits) % COMMS.len()] };
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
    fn what_is_remembered_is_what_the_tables_say(
        before in opens(6),
        after in opens(6),
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
    fn nor_when_there_are_too_many_to_tell_apart(opens in opens(90), path in text(9)) {
        let tables = compile(&opens);
        let given = [b"/", &*path].concat();
        for (bits, comm) in (0..12).zip(COMMS.into_iter().cycle()) {
            let (outcome, read, write) = (bits >> 2, bits & 1 != 0, bits & 2 != 0);
            check(&opens, &tables, &Seen { outcome, read, write, given: &given, comm }, b"/");
        }
    }
}

fn read_of<'a>(given: &'a [u8], comm: &'a [u8]) -> Seen<'a> {
    Seen { outcome: 1, read: true, write: false, given, comm }
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
    let path = Among::These(tests.into());
    let opens = Opens::one(OpenWant { path, ..OpenWant::ALL });
    let tables = compile(&opens);
    for path in &paths {
        assert!(check(&opens, &tables, &read_of(path.as_bytes(), b"cat"), b"/").1);
    }
    assert!(!check(&opens, &tables, &read_of(b"/etc/hostname", b"cat"), b"/").1);
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
