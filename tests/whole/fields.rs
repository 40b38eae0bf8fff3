//! Fields that rest on more than the record: host names that rules mention, resolved by a thread that the sandbox confines, and
//! what the passwd file says of a user.

use std::net::TcpStream;

use crate::support::{Place, field, has_sensor, loopback_server};

#[test]
fn a_host_name_that_a_rule_mentions_leads_to_its_address() {
    if !has_sensor("a host name that a rule mentions") {
        return;
    }
    let place = Place::new();
    let port = loopback_server("");
    // `localhost` stands in the hosts file of every machine; nobody has the other name (RFC 2606).
    let rules = place.write(
        "rules.yaml",
        &format!(
            "- rule: By name\n  desc: d\n  priority: WARNING\n  \
             condition: evt.type = connect and fd.sport = {port} and fd.sip.name = localhost and fd.sip.name != nobody.invalid\n  \
             output: to %fd.sip.name by %user.homedir with %user.shell and %proc.fdlimit %proc.vmsize\n"
        ),
    );
    let agent = place.watch(["-r".as_ref(), rules.as_os_str()]);
    let connect = || drop(TcpStream::connect(("127.0.0.1", port)));
    let (alert, _) = agent.alert_on("the name", connect, |a| a["rule"] == "By name");
    assert_eq!(field(&alert, "fd.sip.name"), "localhost");
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let root: Vec<&str> =
        passwd.lines().find(|line| line.split(':').nth(2) == Some("0")).unwrap().split(':').collect();
    assert_eq!((&*field(&alert, "user.homedir"), &*field(&alert, "user.shell")), (root[5], root[6]));
    assert!(field(&alert, "proc.fdlimit").parse::<u64>().unwrap() > 2, "{alert}");
    assert!(field(&alert, "proc.vmsize").parse::<u64>().unwrap() > 1000, "{alert}");
    let ended = agent.stop();
    println!("{}", ended.last_words());
}
