//! Records that nobody sane would send: real ones with bytes changed, cut, doubled and put in any order. Whatever comes, the
//! fold goes on, every field can be asked for, what is printed is text, and a replay sees what the live run saw.

use eyas_ebpf::{
    Argv, ArgvBits, ArgvFixed, Body, Clock, ClockFixed, Connect, ConnectFixed, Exec, ExecFailed,
    ExecFailedFixed, ExecFixed, Head, LossFixed, Open, OpenFixed, Record, User, UserFixed, records,
};
use eyas_enrich::{Enrich, SilentHost};
use eyas_event::{Arg, ArgKind, Event, FieldId, FieldRef, Fields, OutputValue, ParamId, text};
use proptest::prelude::*;

use crate::support::{Machine, T0, exec, fork, head, put};

/// One record of each kind.
fn one_of_each() -> Vec<Vec<u8>> {
    let born = T0 + 20_000_000;
    let me = head(20, born, 33, 7);
    let argv = ArgvFixed { offset: 7, bits: ArgvBits::LAST, ..ArgvFixed::default() };
    let open = OpenFixed { ret: 3, syscall: 257, dirfd: -100, flags: 0o1101, ..OpenFixed::default() };
    let connect = ConnectFixed {
        fd: 4,
        family: 10,
        protocol: 6,
        local_port: 7,
        remote_port: 8,
        ..ConnectFixed::default()
    };
    let failed = ExecFailedFixed { ret: -2, syscall: 59, ..ExecFailedFixed::default() };
    let clock = ClockFixed { wall_offset_ns: 1 << 60, ..ClockFixed::default() };
    let with_more = exec(10, T0 + 1, b"bash\0lo", 12);
    let bodies = [
        fork(20, born),
        Body::Exec(exec(10, T0 + 1, b"bash\0-c\0id\0", 11)),
        Body::Exec(with_more),
        Body::Argv(Argv { fixed: argv, bytes: b"ng x\0" }),
        Body::Open(Open { fixed: open, given: b"../x", resolved: b"x\0var\0\0", base: b"www\0var\0\0" }),
        Body::Connect(Connect {
            fixed: connect,
            address: &[10, 0, 31, 144, 0, 0, 0, 0, 1, 2, 3, 4, 5],
            path: b"s\0\0",
        }),
        Body::ExecFailed(ExecFailed { fixed: failed, given: b"./x", base: b"tmp\0\0" }),
        Body::Exit(eyas_ebpf::ExitFixed { status: 256, pad: 0 }),
        Body::Process(Exec { fixed: ExecFixed::default(), ..with_more }),
        Body::Clock(Clock { fixed: clock, node: b"n\xff" }),
        Body::User(User { fixed: UserFixed { uid: 33, ..UserFixed::default() }, name: b"w\xfe" }),
        Body::Loss(LossFixed { count: u64::MAX, ..LossFixed::default() }),
    ];
    bodies
        .into_iter()
        .map(|body| {
            let mut out = Vec::new();
            put(&mut out, Head { seq: u64::MAX, ..me }, body);
            out
        })
        .collect()
}

/// Which record, and which of its bytes behind the length and kind become what.
type Change = (prop::sample::Index, Vec<(prop::sample::Index, u8)>);

fn changed(all: &[Vec<u8>], changes: &[Change]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (which, bytes) in changes {
        let mut record = which.get(all).clone();
        for (at, byte) in bytes {
            let at = 8 + at.index(record.len() - 8);
            record[at] = *byte;
        }
        // Those whose parts do not add up any more would end the walk.
        if Record::parse(&record).is_ok() {
            stream.extend_from_slice(&record);
        }
    }
    stream
}

/// Asks for everything in every form, and prints it.
fn ask(event: &Event<'_>) -> Vec<(String, OutputValue)> {
    let mut buf = Vec::new();
    for id in FieldId::all() {
        let args = match id.info().arg {
            ArgKind::None => vec![Arg::None],
            ArgKind::Key
            | ArgKind::OptionalKey
            | ArgKind::Event
            | ArgKind::Word
            | ArgKind::OptionalSide
            | ArgKind::Instant => vec![Arg::None, Arg::Key("open".into()), Arg::Key("0".into())],
            ArgKind::OptionalIndex | ArgKind::Index | ArgKind::IndexOrKey | ArgKind::OptionalIndexOrKey => {
                vec![Arg::None, Arg::Index(0), Arg::Index(1), Arg::Index(u32::MAX)]
            }
            ArgKind::Param | ArgKind::ParamName => {
                ["fd", "flags", "tuple", "mode", "dev", "args", "ret", "uid"]
                    .map(|name| Arg::Param(ParamId::from_name(name).unwrap()))
                    .into_iter()
                    .chain([Arg::Index(0), Arg::Index(u32::MAX)])
                    .collect()
            }
        };
        for arg in args {
            let field = FieldRef { id, arg };
            buf.clear();
            let mut out = Vec::new();
            field.write_text(&event.get(&field, &mut buf), &mut out);
            assert!(!text::escape(&out).chars().any(char::is_control));
            let _ = event.each(&field, &mut buf, &mut |_| std::ops::ControlFlow::Continue(()));
        }
    }
    let mut fields = Vec::new();
    event.all_fields(|name, value| fields.push((name.to_owned(), OutputValue::from(&value))));
    fields
}

fn judged<H: eyas_event::Host>(
    enrich: &mut Enrich<H>,
    stream: &[u8],
    recording: &mut Vec<u8>,
) -> Vec<Vec<(String, OutputValue)>> {
    let mut events = Vec::new();
    let mut facts = Vec::new();
    for (at, record) in records(stream) {
        let Ok(record) = record else { break };
        facts.clear();
        enrich.fold(&record, &mut facts, &mut |event| events.push(ask(event)));
        recording.extend_from_slice(&facts);
        recording.extend_from_slice(&stream[at..at + record.head.len as usize]);
    }
    enrich.finish(&mut |event| events.push(ask(event)));
    events
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = (any::<prop::sample::Index>(), prop_oneof![Just(0), Just(255), Just(128), any::<u8>()]);
    prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(byte, 0..6)), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn changed_records_are_folded_and_replayed_alike(changes in changes(), snapshot in any::<bool>()) {
        let stream = changed(&one_of_each(), &changes);
        let mut live = Enrich::new(Machine);
        // Without one, the host is asked for each process that does something.
        if snapshot {
            live.snapshot();
        }
        let mut recording = Vec::new();
        live.keyframe(&mut recording);
        let seen = judged(&mut live, &stream, &mut recording);
        let again = judged(&mut Enrich::new(SilentHost), &recording, &mut Vec::new());
        prop_assert_eq!(seen, again);
    }

    #[test]
    fn any_bytes_are_walked_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..600), changes in changes()) {
        judged(&mut Enrich::new(SilentHost), &bytes, &mut Vec::new());
        let mut behind = changed(&one_of_each(), &changes);
        behind.extend_from_slice(&bytes);
        judged(&mut Enrich::new(SilentHost), &behind, &mut Vec::new());
    }

    #[test]
    fn a_keyframe_anywhere_carries_on(changes in changes(), cut in any::<prop::sample::Index>()) {
        let all: Vec<Vec<u8>> = one_of_each().into_iter().filter(|r| Record::parse(r).unwrap().0.body.kind().unwrap().is_kernel()).collect();
        let stream = changed(&all, &changes);
        let starts: Vec<usize> = records(&stream).map(|(at, _)| at).collect();
        prop_assume!(!starts.is_empty());
        let cut = *cut.get(&starts);
        let mut live = Enrich::new(Machine);
        live.snapshot();
        let mut nothing = Vec::new();
        for (_, record) in records(&stream[..cut]) {
            live.fold(&record.unwrap(), &mut nothing, &mut |_| ());
        }
        prop_assume!(live.can_keyframe());
        let mut recording = Vec::new();
        live.keyframe(&mut recording);
        let seen = judged(&mut live, &stream[cut..], &mut recording);
        let again = judged(&mut Enrich::new(SilentHost), &recording, &mut Vec::new());
        prop_assert_eq!(seen, again);
    }
}
