//! Names of well-known services, for port constants such as `https`. The engine reads no files, so the table is here; it
//! holds the names of the IANA registry that rules are likely to use, not the machine's own additions.

/// Sorted by name.
static SERVICES: &[(&str, u16)] = &[
    ("amqp", 5672),
    ("bgp", 179),
    ("domain", 53),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("git", 9418),
    ("http", 80),
    ("http-alt", 8080),
    ("https", 443),
    ("imap", 143),
    ("imap2", 143),
    ("imaps", 993),
    ("ipp", 631),
    ("irc", 194),
    ("kerberos", 88),
    ("ldap", 389),
    ("ldaps", 636),
    ("microsoft-ds", 445),
    ("mqtt", 1883),
    ("ms-sql-s", 1433),
    ("mysql", 3306),
    ("netbios-ssn", 139),
    ("nfs", 2049),
    ("ntp", 123),
    ("pop3", 110),
    ("pop3s", 995),
    ("postgresql", 5432),
    ("redis", 6379),
    ("rsync", 873),
    ("sip", 5060),
    ("smtp", 25),
    ("smtps", 465),
    ("snmp", 161),
    ("socks", 1080),
    ("ssh", 22),
    ("submission", 587),
    ("sunrpc", 111),
    ("svn", 3690),
    ("syslog", 514),
    ("telnet", 23),
    ("telnets", 992),
    ("tftp", 69),
    ("whois", 43),
    ("xmpp-client", 5222),
];

/// The port of a service.
pub(super) fn by_name(name: &str) -> Option<u16> {
    SERVICES.binary_search_by(|(n, _)| n.cmp(&name)).ok().map(|i| SERVICES[i].1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted() {
        assert!(super::SERVICES.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(super::by_name("https"), Some(443));
    }
}
