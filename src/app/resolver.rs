//! The thread that resolves the host names which rules mention. It is never waited for: it hears which names are wanted when
//! rules are loaded, asks the machine's hosts file and name servers for them again and again, and hands on what is new.
//!
//! Each name is asked for anew after ten seconds; as long as nothing changes the pause doubles, up to 320 seconds, as
//! Falco's does. A name server that does not answer takes no address away: what it said last stands.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::time::Duration;

use eyas_pipeline::{FoundHost, HostNames};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::parse_resolv_conf;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// The pause before a name is asked for again, and the longest.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_secs(320);
/// How many names are asked for at once.
const AT_ONCE: usize = 8;
/// How many answers may wait to be taken in. One that does not fit is asked for again.
const ANSWERS_MAX: usize = 4096;
/// More names than this are not asked for; the stock rules that are off by default mention some 170.
const NAMES_MAX: usize = 4096;

/// Starts the thread. It ends when the pipeline has gone.
pub(crate) fn start() -> std::io::Result<HostNames> {
    let (want, wanted) = watch::channel::<Vec<Box<str>>>(Vec::new());
    let (found, answers) = mpsc::sync_channel(ANSWERS_MAX);
    std::thread::Builder::new().name("eyas-names".into()).spawn(move || {
        // Without a runtime there are no names, as where no name server answers.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(resolve(wanted, &found, || build(None), PAUSE));
    })?;
    Ok(HostNames::new(
        move |names| {
            let names = names.iter().take(NAMES_MAX).cloned().collect();
            // The thread has gone only when the runtime could not be made.
            let _ = want.send(names);
        },
        answers,
    ))
}

/// A name, and what came of asking for it.
type Answer = (Box<str>, Result<Vec<IpAddr>, NetError>);

/// What is known of one name.
struct Name {
    addresses: Option<Vec<IpAddr>>,
    pause: Duration,
    due: Instant,
    asked: bool,
}

async fn resolve(
    mut wanted: watch::Receiver<Vec<Box<str>>>,
    found: &SyncSender<FoundHost>,
    build: impl Fn() -> Result<TokioResolver, NetError>,
    pause: Duration,
) {
    let mut names: BTreeMap<Box<str>, Name> = BTreeMap::new();
    let mut running: JoinSet<Answer> = JoinSet::new();
    let mut resolver: Option<TokioResolver> = None;
    loop {
        let now = Instant::now();
        let mut due = names.iter().filter(|(_, name)| !name.asked && name.due <= now).map(|(n, _)| n.clone());
        let next: Vec<_> = due.by_ref().take(AT_ONCE - running.len().min(AT_ONCE)).collect();
        drop(due);
        if !next.is_empty() && running.is_empty() {
            // Both files may have changed. Where they cannot be read any more, what they said stands.
            resolver = build().ok().or(resolver);
        }
        for text in next {
            let Some(name) = names.get_mut(&text) else { continue };
            name.asked = true;
            let resolver = resolver.clone();
            running.spawn(async move {
                let addresses = match resolver {
                    Some(resolver) => ask(&resolver, &text).await,
                    None => Err(NetError::from("the name servers are not known")),
                };
                (text, addresses)
            });
        }
        let idle = names.values().filter(|name| !name.asked).map(|name| name.due).min();
        let wake = idle.filter(|_| running.len() < AT_ONCE).unwrap_or(now + PAUSE_MAX);
        tokio::select! {
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                let list = wanted.borrow_and_update().clone();
                let mut before = std::mem::take(&mut names);
                let now = Instant::now();
                names = list
                    .into_iter()
                    .map(|text| {
                        // The new ruleset knows nothing of a name that the old one did not mention; of others what is
                        // known was told, and stands.
                        let fresh = Name { addresses: None, pause, due: now, asked: false };
                        let name = before.remove(&text).unwrap_or(fresh);
                        (text, name)
                    })
                    .collect();
            }
            Some(done) = running.join_next(), if !running.is_empty() => {
                let Ok((text, answer)) = done else { continue };
                let Some(name) = names.get_mut(&text) else { continue };
                name.asked = false;
                let known = take(name, answer, pause);
                name.due = Instant::now() + name.pause;
                if let Some(addresses) = known {
                    match found.try_send(FoundHost { name: text, addresses }) {
                        Ok(()) => {}
                        Err(TrySendError::Full(_)) => name.addresses = None,
                        Err(TrySendError::Disconnected(_)) => return,
                    }
                }
            }
            () = sleep_until(wake) => {}
        }
    }
}

/// Takes an answer in; gives the addresses when they are others than before.
fn take(name: &mut Name, answer: Result<Vec<IpAddr>, NetError>, pause: Duration) -> Option<Vec<IpAddr>> {
    let answer = match answer {
        Ok(addresses) => Some(addresses),
        Err(error) if error.is_no_records_found() => Some(Vec::new()),
        Err(_) => None,
    };
    if answer.is_none() || answer == name.addresses {
        name.pause = (name.pause * 2).min(PAUSE_MAX);
        return None;
    }
    name.pause = pause;
    name.addresses.clone_from(&answer);
    answer
}

async fn ask(resolver: &TokioResolver, name: &str) -> Result<Vec<IpAddr>, NetError> {
    let mut addresses: Vec<IpAddr> = resolver.lookup_ip(name).await?.iter().collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// A resolver by the machine's configuration, or with these name servers.
fn build(servers: Option<ResolverConfig>) -> Result<TokioResolver, NetError> {
    let (config, mut options) = match servers {
        Some(config) => (config, ResolverOpts::default()),
        None => configuration(std::fs::read("/etc/resolv.conf"))?,
    };
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.use_hosts_file = ResolveHosts::Always;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build()
}

/// The name servers of a configuration. Where it names none, it is this machine, as the C library has it.
fn configuration(text: std::io::Result<Vec<u8>>) -> Result<(ResolverConfig, ResolverOpts), NetError> {
    let text = match text {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        text => text?,
    };
    Ok(parse_resolv_conf(text).unwrap_or_else(|_| {
        let own = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        (ResolverConfig::from_parts(None, Vec::new(), vec![own]), ResolverOpts::default())
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use hickory_resolver::config::ConnectionConfig;

    use super::*;

    /// A name server on this machine: `moving.test` leads to 192.0.2.N, N being what the test says; 0 says that there is
    /// no such name, 255 that it does not answer. Of everything else it knows nothing.
    fn server(moving: Arc<AtomicU8>) -> ResolverConfig {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut udp = ConnectionConfig::udp();
        udp.port = socket.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((len, from)) = socket.recv_from(&mut query) {
                let query = &query[..len];
                // Header, then one question: labels up to an empty one, type, class.
                let end = 12 + query[12..].iter().position(|b| *b == 0).unwrap() + 5;
                let name = b"\x06moving\x04test\0";
                let n = moving.load(Ordering::SeqCst);
                let known = query[12..].starts_with(name) && n != 0;
                let is_a = query[end - 4..end - 2] == [0, 1];
                let mut answer = query[..end].to_vec();
                let code = if known { 0x80 } else { 0x83 };
                answer[2..12].copy_from_slice(&[0x81, code, 0, 1, 0, u8::from(known && is_a), 0, 0, 0, 0]);
                if known && is_a {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, n]);
                }
                if n != 255 {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![udp]);
        ResolverConfig::from_parts(None, Vec::new(), vec![server])
    }

    fn names(list: &[&str]) -> Vec<Box<str>> {
        list.iter().map(|name| Box::from(*name)).collect()
    }

    /// The thread with its two ends: whom to tell names, and where answers come out.
    fn thread(
        servers: ResolverConfig,
    ) -> (watch::Sender<Vec<Box<str>>>, mpsc::Receiver<FoundHost>, std::thread::JoinHandle<()>) {
        let (want, wanted) = watch::channel(Vec::new());
        let (found, answers) = mpsc::sync_channel(16);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let build = || build(Some(servers.clone()));
            runtime.block_on(resolve(wanted, &found, build, Duration::from_millis(20)));
        });
        (want, answers, thread)
    }

    fn next(answers: &mpsc::Receiver<FoundHost>) -> (String, Vec<String>) {
        let found = answers.recv_timeout(Duration::from_secs(20)).unwrap();
        (found.name.into(), found.addresses.iter().map(IpAddr::to_string).collect())
    }

    #[test]
    fn what_a_name_server_says_is_handed_on_when_it_changes() {
        let moving = Arc::new(AtomicU8::new(7));
        let (want, answers, thread) = thread(server(moving.clone()));
        want.send(names(&["moving.test"])).unwrap();
        assert_eq!(next(&answers), ("moving.test".into(), vec!["192.0.2.7".into()]));
        moving.store(8, Ordering::SeqCst);
        assert_eq!(next(&answers), ("moving.test".into(), vec!["192.0.2.8".into()]));
        moving.store(0, Ordering::SeqCst);
        assert_eq!(next(&answers), ("moving.test".into(), Vec::new()));
        // Unchanged, it is not told again; and what the hosts file says is found without the server.
        want.send(names(&["192.0.2.99", "localhost", "moving.test"])).unwrap();
        let mut two = [next(&answers), next(&answers)];
        two.sort();
        assert_eq!(two[0], ("192.0.2.99".into(), vec!["192.0.2.99".into()]));
        assert!(two[1].0 == "localhost" && two[1].1.contains(&"127.0.0.1".into()), "{two:?}");
        assert_eq!(answers.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(want);
        thread.join().unwrap();
    }

    #[test]
    fn a_server_that_is_silent_takes_nothing_away_and_pauses_grow() {
        let known = vec![IpAddr::from([192, 0, 2, 7])];
        let mut name = Name { addresses: None, pause: PAUSE, due: Instant::now(), asked: false };
        assert_eq!(take(&mut name, Ok(known.clone()), PAUSE), Some(known.clone()));
        for seconds in [20, 40, 80, 160, 320, 320] {
            let answer = if seconds == 40 { Err(NetError::Timeout) } else { Ok(known.clone()) };
            assert_eq!(take(&mut name, answer, PAUSE), None);
            assert_eq!((name.pause, &name.addresses), (Duration::from_secs(seconds), &Some(known.clone())));
        }
        assert_eq!(take(&mut name, Ok(Vec::new()), PAUSE), Some(Vec::new()));
        assert_eq!(name.pause, PAUSE);
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_no_empty_one() {
        let servers = |text: std::io::Result<Vec<u8>>| {
            configuration(text)
                .map(|(config, _)| config.name_servers().iter().map(|s| s.ip).collect::<Vec<_>>())
        };
        let error = |kind: std::io::ErrorKind| Err(kind.into());
        assert_eq!(
            servers(Ok(b"nameserver 192.0.2.53\n".to_vec())).unwrap(),
            [IpAddr::from([192, 0, 2, 53])]
        );
        for none in [Ok(Vec::new()), error(std::io::ErrorKind::NotFound)] {
            assert_eq!(servers(none).unwrap(), [IpAddr::from(Ipv4Addr::LOCALHOST)]);
        }
        assert!(servers(error(std::io::ErrorKind::PermissionDenied)).is_err());
    }
}
