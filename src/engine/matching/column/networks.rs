//! Networks as ranges of addresses in order, so that one binary search tells all networks that an address is in.

use std::net::IpAddr;

use eyas_event::IpNet;

/// What holds from an address on, for each family.
#[derive(Debug)]
pub(super) struct Networks<T> {
    v4: Vec<(u128, T)>,
    v6: Vec<(u128, T)>,
}

impl<T> Networks<T> {
    /// Of networks with the tests that name them. What holds between two bounds is made from how often each of the `tests`
    /// is in force there: a test may name networks that lie in each other.
    pub(super) fn new<'n>(
        named: impl Iterator<Item = (&'n IpNet, usize)>,
        tests: usize,
        mut make: impl FnMut(&[u32]) -> T,
    ) -> Self {
        // From each bound on a test is named once more or once less.
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (net, test) in named {
            let (first, prefix) = net.parts();
            let (first, width, bounds) = match first {
                IpAddr::V4(a) => (u128::from(a.to_bits()), 32, &mut v4),
                IpAddr::V6(a) => (a.to_bits(), 128, &mut v6),
            };
            bounds.push((first, test, true));
            // A network that reaches the last address has no bound behind it.
            let size = 1_u128.checked_shl(width - u32::from(prefix));
            if let Some(past) = size.and_then(|size| first.checked_add(size)) {
                bounds.push((past, test, false));
            }
        }
        let mut ranges = |mut bounds: Vec<(u128, usize, bool)>| {
            bounds.sort_unstable();
            let mut times = vec![0_u32; tests];
            let mut ranges: Vec<(u128, T)> = Vec::new();
            for same in bounds.chunk_by(|a, b| a.0 == b.0) {
                for (_, test, begins) in same {
                    times[*test] = if *begins { times[*test] + 1 } else { times[*test].saturating_sub(1) };
                }
                ranges.push((same[0].0, make(&times)));
            }
            ranges
        };
        Self { v4: ranges(v4), v6: ranges(v6) }
    }

    /// What holds for an address; none when it lies before every network.
    pub(super) fn at(&self, ip: IpAddr) -> Option<&T> {
        let (ranges, ip) = match ip {
            IpAddr::V4(a) => (&self.v4, u128::from(a.to_bits())),
            IpAddr::V6(a) => (&self.v6, a.to_bits()),
        };
        let at = ranges.partition_point(|(first, _)| *first <= ip).checked_sub(1)?;
        Some(&ranges[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_networks_that_contain_it() {
        let net = |text: &str| {
            let (ip, prefix) = text.split_once('/')?;
            IpNet::new(ip.parse().ok()?, prefix.parse().ok()?)
        };
        let texts = [
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.0.0/16",
            "0.0.0.0/0",
            "255.255.255.255/32",
            "127.0.0.0/8",
            "fe80::/10",
            "::1/128",
            "ffff::/16",
            "::/1",
            "10.1.2.3/32",
        ];
        let nets: Vec<IpNet> = texts.iter().filter_map(|text| net(text)).collect();
        assert_eq!(nets.len(), texts.len());
        // Two tests share the networks, one after the other.
        let named = nets.iter().enumerate().map(|(i, net)| (net, i % 3));
        let networks = Networks::new(named, 3, |times| [times[0] > 0, times[1] > 0, times[2] > 0]);
        let ips = [
            "10.0.0.0",
            "10.255.255.255",
            "11.0.0.0",
            "9.255.255.255",
            "10.1.2.3",
            "10.1.2.4",
            "0.0.0.0",
            "255.255.255.255",
            "127.0.0.1",
            "fe80::1",
            "::1",
            "::",
            "ffff::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "8000::",
            "7fff::",
        ];
        for ip in ips.iter().filter_map(|ip| ip.parse::<IpAddr>().ok()) {
            let wanted =
                [0, 1, 2].map(|test| nets.iter().enumerate().any(|(i, n)| i % 3 == test && n.contains(ip)));
            assert_eq!(networks.at(ip).copied().unwrap_or_default(), wanted, "{ip}");
        }
    }
}
