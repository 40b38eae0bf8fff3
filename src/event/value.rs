//! [`Value`]: what a field has in one event. It borrows from the event, so asking for one builds nothing; text is
//! bytes. *Absent* is a value of its own, with comparisons that are defined (see `docs/rules.md`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'e> {
    /// The event has no such value.
    Absent,
    /// A truth value.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// Text or other bytes.
    Bytes(&'e [u8]),
    /// An address.
    Ip(IpAddr),
    /// A port.
    Port(u16),
    /// An instant: nanoseconds since the epoch.
    Time(u64),
    /// A span: nanoseconds.
    Span(i64),
    /// A number with a fraction.
    Double(f64),
}

impl<'e> Value<'e> {
    /// Text, or [`Value::Absent`].
    pub fn bytes_or_absent(bytes: Option<&'e [u8]>) -> Self {
        bytes.map_or(Value::Absent, Value::Bytes)
    }

    /// Whether there is no value.
    pub fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }

    /// Appends the value as an output template prints it; an absent one prints `<NA>`.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        // Writing to a Vec cannot fail.
        let _ = match self {
            Value::Absent => out.write_all(b"<NA>"),
            Value::Bool(b) => write!(out, "{b}"),
            Value::Int(n) | Value::Span(n) => write!(out, "{n}"),
            Value::Uint(n) | Value::Time(n) => write!(out, "{n}"),
            Value::Bytes(b) => out.write_all(b),
            Value::Ip(ip) => write!(out, "{ip}"),
            Value::Port(p) => write!(out, "{p}"),
            // Falco prints one digit of the fraction.
            Value::Double(n) => write!(out, "{n:.1}"),
        };
    }
}

/// A network: an address and how many of its leading bits count. Host bits are cleared when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNet {
    addr: IpAddr,
    prefix: u8,
}

impl IpNet {
    /// The network of `addr` with `prefix` leading bits; `None` when the prefix is longer than the address.
    pub fn new(addr: IpAddr, prefix: u8) -> Option<Self> {
        let addr = match addr {
            IpAddr::V4(a) if prefix <= 32 => IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & mask32(prefix))),
            IpAddr::V6(a) if prefix <= 128 => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & mask128(prefix))),
            _ => return None,
        };
        Some(Self { addr, prefix })
    }

    /// Whether the address is in the network; never across families.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.addr, ip) {
            (IpAddr::V4(n), IpAddr::V4(a)) => a.to_bits() & mask32(self.prefix) == n.to_bits(),
            (IpAddr::V6(n), IpAddr::V6(a)) => a.to_bits() & mask128(self.prefix) == n.to_bits(),
            _ => false,
        }
    }

    /// First address and prefix length.
    pub fn parts(&self) -> (IpAddr, u8) {
        (self.addr, self.prefix)
    }
}

fn mask32(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask128(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_and_no_other_family() {
        let net = IpNet::new("10.1.2.3".parse().expect("address"), 8).expect("prefix");
        assert!(net.contains("10.255.0.1".parse().expect("address")));
        assert!(!net.contains("11.0.0.1".parse().expect("address")));
        assert!(!net.contains("::1".parse().expect("address")));
        let all = IpNet::new("1.2.3.4".parse().expect("address"), 0).expect("prefix");
        assert!(all.contains("200.0.0.1".parse().expect("address")));
        assert!(IpNet::new("1.2.3.4".parse().expect("address"), 33).is_none());
    }
}
