//! [`Names`]: what users and groups are called on the host and in each container, and which of the host names that rules
//! mention lead to an address, as far as the host, a name server or a recording said so. A user that could not be found
//! is remembered as such, so that nobody asks twice in a round. A new round begins now and then, since files change.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::process::Process;

/// How many users and groups of the host, and how many of all containers together, are remembered. Whoever may change ids
/// can use up four thousand million of them; beyond this all are forgotten and asked for again.
const NAMES_MAX: usize = 65_536;

/// What a passwd file says of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: Box<[u8]>,
    /// The home directory.
    pub home: Box<[u8]>,
    /// The shell.
    pub shell: Box<[u8]>,
}

/// What one passwd and one group file say.
#[derive(Clone, Debug, Default)]
struct Book {
    users: FxHashMap<u32, Entry<User>>,
    groups: FxHashMap<u32, Entry<Box<[u8]>>>,
}

/// What a file said of one of them, if it is there, and in which round that was asked.
#[derive(Clone, Debug)]
struct Entry<T> {
    said: Option<T>,
    round: u32,
}

impl Book {
    fn len(&self) -> usize {
        self.users.len() + self.groups.len()
    }
}

/// Names of users, groups and hosts.
#[derive(Clone, Debug, Default)]
pub struct Names {
    host: Book,
    containers: FxHashMap<Box<str>, Book>,
    /// How many users and groups of containers there are.
    in_containers: usize,
    round: u32,
    /// Host names and their addresses.
    hosts: BTreeMap<Arc<[u8]>, Box<[IpAddr]>>,
    /// The same the other way round; the names of an address are sorted.
    by_address: FxHashMap<IpAddr, Vec<Arc<[u8]>>>,
}

impl Names {
    fn book(&self, container: &str) -> Option<&Book> {
        if container == Process::HOST { Some(&self.host) } else { self.containers.get(container) }
    }

    fn book_mut(&mut self, container: &str) -> Option<&mut Book> {
        if container == Process::HOST { Some(&mut self.host) } else { self.containers.get_mut(container) }
    }

    /// Where something of a container, or of the host, is written down; what is there already takes no room.
    fn page(&mut self, container: &str, is_new: bool) -> &mut Book {
        if container == Process::HOST {
            if is_new && self.host.len() >= NAMES_MAX {
                self.host = Book::default();
            }
            return &mut self.host;
        }
        if is_new {
            if self.in_containers >= NAMES_MAX {
                self.containers.clear();
                self.in_containers = 0;
            }
            self.in_containers += 1;
        }
        self.containers.entry(container.into()).or_default()
    }

    /// What is known of a user of a container or, where that is `host`, of the host.
    pub fn user(&self, container: &str, uid: u32) -> Option<&User> {
        self.book(container)?.users.get(&uid)?.said.as_ref()
    }

    /// The user's name; `root` for uid 0 even when nobody said so.
    pub fn user_name(&self, container: &str, uid: u32) -> Option<&[u8]> {
        match self.user(container, uid) {
            Some(user) => Some(&user.name),
            None if uid == 0 => Some(b"root"),
            None => None,
        }
    }

    /// The group's name; `root` for gid 0 even when nobody said so.
    pub fn group_name(&self, container: &str, gid: u32) -> Option<&[u8]> {
        match self.book(container).and_then(|book| book.groups.get(&gid)) {
            Some(Entry { said: Some(name), .. }) => Some(name),
            _ if gid == 0 => Some(b"root"),
            _ => None,
        }
    }

    /// From here on all that is known may have changed.
    pub fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// Whether this user was asked for in this round.
    pub fn has_user(&self, container: &str, uid: u32) -> bool {
        let entry = self.book(container).and_then(|book| book.users.get(&uid));
        entry.is_some_and(|entry| entry.round == self.round)
    }

    /// Whether this group was asked for in this round.
    pub fn has_group(&self, container: &str, gid: u32) -> bool {
        let entry = self.book(container).and_then(|book| book.groups.get(&gid));
        entry.is_some_and(|entry| entry.round == self.round)
    }

    /// Remembers a user, or that there is none; whether that is new.
    pub fn set_user(&mut self, container: &str, uid: u32, user: Option<User>) -> bool {
        let before = self.book(container).and_then(|book| book.users.get(&uid)).map(|entry| &entry.said);
        let (is_new, is_news) = (before.is_none(), before != Some(&user));
        let entry = Entry { said: user, round: self.round };
        self.page(container, is_new).users.insert(uid, entry);
        is_news
    }

    /// Remembers a group's name, or that there is none; whether that is new.
    pub fn set_group(&mut self, container: &str, gid: u32, name: Option<&[u8]>) -> bool {
        let before = self.book(container).and_then(|book| book.groups.get(&gid)).map(|entry| &entry.said);
        let (is_new, is_news) = (before.is_none(), before.is_none_or(|said| said.as_deref() != name));
        let entry = Entry { said: name.map(Into::into), round: self.round };
        self.page(container, is_new).groups.insert(gid, entry);
        is_news
    }

    /// In this round nobody can say what a user is called; whether something is known of it from before, which stays.
    pub fn keep_user(&mut self, container: &str, uid: u32) -> bool {
        let round = self.round;
        let entry = self.book_mut(container).and_then(|book| book.users.get_mut(&uid));
        entry.map(|entry| entry.round = round).is_some()
    }

    /// The same for a group.
    pub fn keep_group(&mut self, container: &str, gid: u32) -> bool {
        let round = self.round;
        let entry = self.book_mut(container).and_then(|book| book.groups.get_mut(&gid));
        entry.map(|entry| entry.round = round).is_some()
    }

    fn books(&self) -> impl Iterator<Item = (&str, &Book)> {
        let containers = self.containers.iter().map(|(id, book)| (&**id, book));
        std::iter::once((Process::HOST, &self.host)).chain(containers)
    }

    /// Every user known, by container and id, with what is known of it.
    pub fn users(&self) -> impl Iterator<Item = ((&str, u32), Option<&User>)> {
        self.books()
            .flat_map(|(id, book)| book.users.iter().map(move |(uid, user)| ((id, *uid), user.said.as_ref())))
    }

    /// Every group known, by container and id, with its name if it has one.
    pub fn groups(&self) -> impl Iterator<Item = ((&str, u32), Option<&[u8]>)> {
        self.books().flat_map(|(id, book)| {
            book.groups.iter().map(move |(gid, name)| ((id, *gid), name.said.as_deref()))
        })
    }

    /// Remembers to which addresses a host name leads, in place of what was known; none forgets the name.
    pub fn set_addresses(&mut self, name: &[u8], addresses: impl IntoIterator<Item = IpAddr>) {
        let mut addresses: Vec<IpAddr> = addresses.into_iter().map(|ip| ip.to_canonical()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            self.hosts.remove(name);
        } else {
            self.hosts.insert(name.into(), addresses.into());
        }
        self.by_address.clear();
        // In the order of their names.
        for (name, addresses) in &self.hosts {
            for address in addresses {
                self.by_address.entry(*address).or_default().push(name.clone());
            }
        }
    }

    /// The host names that lead to an address, sorted.
    pub fn hosts_at(&self, address: IpAddr) -> &[Arc<[u8]>] {
        if self.by_address.is_empty() {
            return &[];
        }
        self.by_address.get(&address.to_canonical()).map_or(&[], Vec::as_slice)
    }

    /// Every host name with its addresses, sorted.
    pub fn hosts(&self) -> impl Iterator<Item = (&[u8], &[IpAddr])> {
        self.hosts.iter().map(|(name, addresses)| (&**name, &**addresses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_beyond_number_do_not_fill_the_memory() {
        for container in [Process::HOST, "3ad7b26ded6d"] {
            let mut names = Names::default();
            for uid in 0..200_000 {
                names.set_user(container, uid, None);
                assert!(names.has_user(container, uid));
                assert!(names.host.len() + names.in_containers <= NAMES_MAX);
            }
            // Saying again what is known forgets nothing.
            let before = names.users().count();
            let late = User { name: b"late"[..].into(), ..User::default() };
            names.set_user(container, 199_999, Some(late));
            assert_eq!(names.users().count(), before);
            assert_eq!(names.user_name(container, 199_999), Some(&b"late"[..]));
        }
    }

    #[test]
    fn in_a_new_round_everybody_is_asked_for_anew() {
        let mut names = Names::default();
        let user = |name: &[u8]| Some(User { name: name.into(), ..User::default() });
        assert!(names.set_user(Process::HOST, 1000, user(b"alice")));
        assert!(names.set_group("3ad7b26ded6d", 50, Some(b"staff")));
        names.begin_round();
        assert!(!names.has_user(Process::HOST, 1000) && !names.has_group("3ad7b26ded6d", 50));
        assert_eq!(
            names.user_name(Process::HOST, 1000),
            Some(&b"alice"[..]),
            "known until somebody says otherwise"
        );
        assert!(names.set_user(Process::HOST, 1000, user(b"bob")));
        assert!(!names.set_group("3ad7b26ded6d", 50, Some(b"staff")), "as before");
        assert!(names.has_user(Process::HOST, 1000) && names.has_group("3ad7b26ded6d", 50));
        names.begin_round();
        assert!(names.keep_user(Process::HOST, 1000) && names.has_user(Process::HOST, 1000));
        assert!(!names.keep_user(Process::HOST, 1001) && !names.keep_group("other", 50));
        assert_eq!(names.in_containers, 1);
    }

    #[test]
    fn the_same_number_is_somebody_else_in_a_container() {
        let mut names = Names::default();
        let user = |name: &[u8]| Some(User { name: name.into(), home: b"/h"[..].into(), ..User::default() });
        names.set_user(Process::HOST, 33, user(b"www-data"));
        names.set_user("3ad7b26ded6d", 33, user(b"nginx"));
        names.set_group("3ad7b26ded6d", 33, Some(b"web"));
        assert_eq!(names.user_name(Process::HOST, 33), Some(&b"www-data"[..]));
        assert_eq!(names.user_name("3ad7b26ded6d", 33), Some(&b"nginx"[..]));
        assert_eq!(names.group_name("3ad7b26ded6d", 33), Some(&b"web"[..]));
        assert_eq!(names.group_name(Process::HOST, 33), None);
        assert_eq!((names.user_name("other", 33), names.user_name("other", 0)), (None, Some(&b"root"[..])));
    }

    #[test]
    fn an_address_has_the_names_that_lead_to_it_now() {
        let mut names = Names::default();
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        names.set_addresses(b"b.example", [ip("192.0.2.1"), ip("::ffff:192.0.2.2")]);
        names.set_addresses(b"a.example", [ip("192.0.2.1")]);
        let at = |names: &Names, text| {
            names
                .hosts_at(ip(text))
                .iter()
                .map(|n| String::from_utf8_lossy(n).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(at(&names, "192.0.2.1"), ["a.example", "b.example"]);
        assert_eq!(at(&names, "192.0.2.2"), ["b.example"]);
        names.set_addresses(b"b.example", [ip("2001:db8::1")]);
        names.set_addresses(b"a.example", []);
        assert_eq!(at(&names, "192.0.2.1"), [""; 0]);
        assert_eq!(at(&names, "2001:db8::1"), ["b.example"]);
        assert_eq!(names.hosts().count(), 1);
    }
}
