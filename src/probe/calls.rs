//! Which syscalls an interest comes to: those whose events somebody wants, those that change what is known of a process,
//! and those that tell sockets apart where others need to know.

use eyas_ebpf::{Bitmap, CALLS, nr};
use eyas_event::{EventSet, EventType, Interest};

/// Calls that change what later events of the process are told with: its directory, its name, its session, its capabilities. They
/// are those that `enrich` takes in.
const STATE: &[&str] = &["chdir", "fchdir", "prctl", "setsid", "setpgid", "capset"];
/// Calls that give a socket its role and its first peer.
const ROLES: &[&str] = &["connect", "accept", "accept4", "bind"];
/// Calls that ask for the role or the peer of a socket.
const NEED_ROLES: &[&str] = &["sendto", "sendmsg", "recvfrom", "recvmsg", "dup", "dup2", "dup3", "listen"];

/// The calls that have records of their own kinds.
const OWN_KINDS: &[(u64, EventType)] = &[
    (nr::OPEN, EventType::OPEN),
    (nr::CREAT, EventType::CREAT),
    (nr::OPENAT, EventType::OPENAT),
    (nr::OPENAT2, EventType::OPENAT2),
    (nr::CONNECT, EventType::CONNECT),
    (nr::EXECVE, EventType::EXECVE),
    (nr::EXECVEAT, EventType::EXECVEAT),
];

/// The x86-64 numbers to send, and those of them that need be sent of containers only.
pub(crate) fn of(interest: &Interest) -> (Bitmap, Bitmap) {
    let mut needed = named(STATE);
    if !interest.events.and(named(NEED_ROLES)).is_empty() {
        // Of the host, too: a container can be handed a socket that was connected there.
        needed = needed.or(named(ROLES));
    }
    (numbers(interest.events.or(needed)), numbers(interest.contained.and(needed.complement())))
}

fn numbers(events: EventSet) -> Bitmap {
    let named = CALLS.iter().filter_map(|call| Some((call.number, EventType::from_name(call.name)?)));
    let all = OWN_KINDS.iter().copied().chain(named);
    all.filter(|(_, event)| events.contains(*event)).fold(Bitmap::EMPTY, |set, (number, _)| set.with(number))
}

fn named(names: &[&str]) -> EventSet {
    names.iter().filter_map(|name| EventType::from_name(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_table_has_an_event_of_its_name() {
        for call in CALLS {
            assert!(EventType::from_name(call.name).is_some(), "{}", call.name);
        }
    }

    /// What arm64 calls its syscalls, by the header that the C library brings.
    #[test]
    #[expect(clippy::print_stdout, reason = "says why it is skipped")]
    fn the_generic_numbers_are_those_of_the_kernels_header() {
        let Ok(header) = std::fs::read_to_string("/usr/include/asm-generic/unistd.h") else {
            println!("skipped: no asm-generic/unistd.h");
            return;
        };
        let defined = header.lines().filter_map(|line| {
            let (name, number) = line.strip_prefix("#define __NR_")?.split_once(char::is_whitespace)?;
            Some((name, number.trim().parse::<u64>().ok()?))
        });
        let mut seen = 0;
        for (name, number) in defined {
            let call = CALLS.iter().find(|call| call.name == name).map(|call| call.number);
            let own = OWN_KINDS.iter().find(|(_, event)| event.name() == name).map(|(number, _)| *number);
            assert_eq!(eyas_ebpf::of_generic(number), call.or(own), "{name}");
            seen += u32::from(call.or(own).is_some());
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn an_interest_in_datagrams_brings_the_calls_that_make_sockets() {
        let number = |name: &str| CALLS.iter().find(|call| call.name == name).expect(name).number;
        let sendto = [EventType::from_name("sendto").expect("sendto")].into_iter().collect();
        let (calls, contained) = of(&Interest::of(sendto));
        assert_eq!(contained, Bitmap::EMPTY);
        assert!(calls.has(number("sendto")) && calls.has(number("bind")) && calls.has(nr::CONNECT));
        assert!(!calls.has(number("rename")) && !calls.has(nr::OPENAT));
        assert!(calls.has(number("chdir")), "always, for the working directory");
        let (calls, contained) = of(&Interest { contained: sendto, ..Interest::of(sendto) });
        assert!(calls.has(number("sendto")) && contained.has(number("sendto")));
        assert!(calls.has(number("bind")) && !contained.has(number("bind")));
        assert!(calls.has(number("chdir")) && !contained.has(number("chdir")));
    }
}
