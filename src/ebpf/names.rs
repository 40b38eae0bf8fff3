//! Facts about names: ACCOUNT, what the passwd and group files of the host or of a container say, and ADDRESSES, what a name
//! server said of a host name that rules mention.

layout! {
    /// The fixed part of ACCOUNT.
    pub struct AccountFixed [16] {
        /// The number of the user or group.
        id: u32 = 0,
        /// Which of the two: [`AccountFixed::USER`] or [`AccountFixed::GROUP`].
        what: u16 = 4,
        /// Section length: the container, as `container.id` has it; nothing for the host.
        container_len: u16 = 6,
        /// Section length: the name; nothing when there is none.
        name_len: u16 = 8,
        /// Section length: a user's home directory.
        home_len: u16 = 10,
        /// Section length: a user's shell.
        shell_len: u16 = 12,
        /// Zero.
        pad: u16 = 14,
    }
}

impl AccountFixed {
    /// It is a user.
    pub const USER: u16 = 1;
    /// It is a group.
    pub const GROUP: u16 = 2;
}

/// ACCOUNT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: AccountFixed,
    /// The container's id; empty for the host.
    pub container: &'b [u8],
    /// The name; empty when the file has no such user or group.
    pub name: &'b [u8],
    /// The home directory.
    pub home: &'b [u8],
    /// The shell.
    pub shell: &'b [u8],
}

impl<'b> Account<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, rest) = AccountFixed::split(bytes)?;
        let (container, rest) = rest.split_at_checked(fixed.container_len.into())?;
        let (name, rest) = rest.split_at_checked(fixed.name_len.into())?;
        let (home, shell) = rest.split_at_checked(fixed.home_len.into())?;
        (shell.len() == usize::from(fixed.shell_len)).then_some(Self { fixed, container, name, home, shell })
    }

    pub(crate) fn measured(&self) -> Option<AccountFixed> {
        Some(AccountFixed {
            container_len: self.container.len().try_into().ok()?,
            name_len: self.name.len().try_into().ok()?,
            home_len: self.home.len().try_into().ok()?,
            shell_len: self.shell.len().try_into().ok()?,
            ..self.fixed
        })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 4] {
        [self.container, self.name, self.home, self.shell]
    }
}

layout! {
    /// The fixed part of ADDRESSES.
    pub struct AddressesFixed [8] {
        /// Section length: the host name.
        name_len: u16 = 0,
        /// Section length: its addresses.
        addresses_len: u16 = 2,
        /// Zero.
        pad: u32 = 4,
    }
}

/// ADDRESSES. What was said of the name before counts no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses<'b> {
    /// The fixed part. Its section lengths are set anew when it is written.
    pub fixed: AddressesFixed,
    /// The host name as rules write it.
    pub name: &'b [u8],
    /// Addresses of 16 bytes each, those of IPv4 mapped into IPv6 (`::ffff:a.b.c.d`).
    pub addresses: &'b [u8],
}

/// Bytes of one address.
const ADDRESS: usize = 16;

impl<'b> Addresses<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (fixed, rest) = AddressesFixed::split(bytes)?;
        let (name, addresses) = rest.split_at_checked(fixed.name_len.into())?;
        let whole = addresses.len().is_multiple_of(ADDRESS);
        (whole && addresses.len() == usize::from(fixed.addresses_len)).then_some(Self {
            fixed,
            name,
            addresses,
        })
    }

    pub(crate) fn measured(&self) -> Option<AddressesFixed> {
        Some(AddressesFixed {
            name_len: self.name.len().try_into().ok()?,
            addresses_len: self.addresses.len().try_into().ok()?,
            ..self.fixed
        })
    }

    pub(crate) fn sections(&self) -> [&'b [u8]; 2] {
        [self.name, self.addresses]
    }

    /// The addresses one by one.
    pub fn each(&self) -> impl Iterator<Item = [u8; ADDRESS]> + 'b {
        self.addresses.chunks_exact(ADDRESS).filter_map(|chunk| chunk.try_into().ok())
    }
}
