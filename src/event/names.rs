//! [`Names`]: what users and groups are called, as far as the host or a recording said so. A name that could not be
//! found is remembered as such, so that nobody asks twice.

use rustc_hash::FxHashMap;

/// How many users, and how many groups, are remembered. Whoever may change ids can use up four thousand million of
/// them; beyond this all are forgotten and asked for again.
const NAMES_MAX: usize = 65_536;

type ById = FxHashMap<u32, Option<Box<[u8]>>>;

/// Names of users and groups, by id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    users: ById,
    groups: ById,
}

impl Names {
    /// The user's name; `root` for uid 0 even when nobody said so.
    pub fn user(&self, uid: u32) -> Option<&[u8]> {
        match self.users.get(&uid) {
            Some(Some(name)) => Some(name),
            _ if uid == 0 => Some(b"root"),
            _ => None,
        }
    }

    /// The group's name; `root` for gid 0 even when nobody said so.
    pub fn group(&self, gid: u32) -> Option<&[u8]> {
        match self.groups.get(&gid) {
            Some(Some(name)) => Some(name),
            _ if gid == 0 => Some(b"root"),
            _ => None,
        }
    }

    /// Whether this user was asked for before.
    pub fn has_user(&self, uid: u32) -> bool {
        self.users.contains_key(&uid)
    }

    /// Whether this group was asked for before.
    pub fn has_group(&self, gid: u32) -> bool {
        self.groups.contains_key(&gid)
    }

    /// Remembers a user's name, or that it has none.
    pub fn set_user(&mut self, uid: u32, name: Option<&[u8]>) {
        remember(&mut self.users, uid, name);
    }

    /// Remembers a group's name, or that it has none.
    pub fn set_group(&mut self, gid: u32, name: Option<&[u8]>) {
        remember(&mut self.groups, gid, name);
    }

    /// Every user known, with its name if it has one.
    pub fn users(&self) -> impl Iterator<Item = (u32, Option<&[u8]>)> {
        self.users.iter().map(|(id, name)| (*id, name.as_deref()))
    }

    /// Every group known, with its name if it has one.
    pub fn groups(&self) -> impl Iterator<Item = (u32, Option<&[u8]>)> {
        self.groups.iter().map(|(id, name)| (*id, name.as_deref()))
    }
}

fn remember(names: &mut ById, id: u32, name: Option<&[u8]>) {
    if names.len() >= NAMES_MAX && !names.contains_key(&id) {
        names.clear();
    }
    names.insert(id, name.map(Into::into));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_beyond_number_do_not_fill_the_memory() {
        let mut names = Names::default();
        for uid in 0..200_000 {
            names.set_user(uid, None);
            assert!(names.has_user(uid) && names.users.len() <= NAMES_MAX);
        }
        // Saying again what is known forgets nothing.
        let before = names.users.len();
        names.set_user(199_999, Some(b"late"));
        assert_eq!((names.users.len(), names.user(199_999)), (before, Some(&b"late"[..])));
    }
}
