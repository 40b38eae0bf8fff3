//! [`Names`]: what users and groups are called, as far as the host or a recording said so. A name that could not be
//! found is remembered as such, so that nobody asks twice.

use rustc_hash::FxHashMap;

/// Names of users and groups, by id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    users: FxHashMap<u32, Option<Box<[u8]>>>,
    groups: FxHashMap<u32, Option<Box<[u8]>>>,
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
        self.users.insert(uid, name.map(Into::into));
    }

    /// Remembers a group's name, or that it has none.
    pub fn set_group(&mut self, gid: u32, name: Option<&[u8]>) {
        self.groups.insert(gid, name.map(Into::into));
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
