//! What `io_uring` did in place of a call is the call's event, and marked.

use eyas_ebpf::{
    Body, Connect, ConnectBits, ConnectFixed, Head, HeadFlags, Open, OpenBits, OpenFixed, records,
};
use eyas_enrich::Enrich;
use eyas_event::{FieldId, FieldRef, Fields};

use crate::support::{Machine, T0, head, put};

/// What these fields print in the one event of a record.
fn printed(head: Head, body: &Body<'_>, fields: &[&str]) -> Vec<String> {
    let mut stream = Vec::new();
    put(&mut stream, head, *body);
    let mut out = Vec::new();
    let mut enrich = Enrich::new(Machine);
    for (_, record) in records(&stream) {
        enrich.fold(&record.unwrap(), &mut Vec::new(), &mut |event| {
            for name in fields {
                let field = FieldRef::plain(FieldId::from_name(name).unwrap());
                let mut text = Vec::new();
                field.write_text(&event.get(&field, &mut Vec::new()), &mut text);
                out.push(String::from_utf8(text).unwrap());
            }
            let mut told = Vec::new();
            event.all_fields(|name, value| {
                if name == "evt.is_uring" {
                    told.push(format!("{value:?}"));
                }
            });
            out.push(told.join(" "));
        });
    }
    out
}

fn by(flags: HeadFlags) -> Head {
    Head { flags, ..head(10, T0, 0, 0) }
}

const OPENED: &[&str] =
    &["evt.type", "evt.is_uring", "evt.res", "fd.num", "fd.name", "fd.realpath", "fd.typechar"];

#[test]
fn an_opening_is_the_event_of_the_call_and_marked() {
    let fixed = OpenFixed { ret: 4, syscall: 257, dirfd: -100, file_mode: 0o100_644, ..OpenFixed::default() };
    let body = Body::Open(Open { fixed, given: b"shadow", resolved: b"shadow\0etc\0\0", base: b"etc\0\0" });
    let named = ["/etc/shadow", "/etc/shadow", "f"];
    let by_uring = printed(by(HeadFlags::URING), &body, OPENED);
    assert_eq!(by_uring[..4], ["openat", "true", "SUCCESS", "4"]);
    assert_eq!(by_uring[4..7], named);
    assert_eq!(by_uring[7], "Bool(true)");
    let by_call = printed(by(HeadFlags(0)), &body, OPENED);
    assert_eq!(by_call[..4], ["openat", "false", "SUCCESS", "4"]);
    assert_eq!(by_call[4..7], named);
    // An alert does not tell of each event that it was a call.
    assert_eq!(by_call[7], "");
}

#[test]
fn an_opening_whose_end_is_not_told_counts_as_one_that_went_well() {
    let bits = OpenBits::UNFINISHED;
    let fixed = OpenFixed { syscall: 437, dirfd: -100, bits, ..OpenFixed::default() };
    let body = Body::Open(Open { fixed, given: b"/etc/shadow", resolved: b"", base: b"" });
    let told = printed(by(HeadFlags::URING), &body, OPENED);
    assert_eq!(told[..4], ["openat2", "true", "SUCCESS", "2147483647"]);
    assert_eq!(told[4..7], ["/etc/shadow", "<NA>", "f"]);
}

#[test]
fn a_connection_whose_end_is_not_told_goes_on() {
    let fixed = ConnectFixed {
        ret: -115,
        fd: 5,
        syscall: 42,
        family: 2,
        kind: 1,
        protocol: 6,
        bits: ConnectBits::UNFINISHED,
        given_len: 16,
        ..ConnectFixed::default()
    };
    let address = [2, 0, 0, 22, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let body = Body::Connect(Connect { fixed, address: &address, path: b"" });
    let fields = ["evt.type", "evt.is_uring", "evt.res", "fd.rip", "fd.rport", "fd.typechar"];
    let told = printed(by(HeadFlags::URING), &body, &fields);
    assert_eq!(told[..6], ["connect", "true", "EINPROGRESS", "192.0.2.1", "22", "4"]);
}
