//! [`Redaction`]: secrets in command lines and in what is sent over sockets are overwritten with asterisks before anything
//! else sees them, so that no rule, alert, screen, output or recording holds them.
//!
//! It works on the bytes that the source gave, in place and without changing a length, and on what the host says of
//! processes that ran before. A secret that a long command line splits between two records is masked up to the split.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use eyas_ebpf::{Body, records};
use eyas_event::{
    Fill, Host, Interest, Lookup, Loss, Process, RawBatch, Source, SourceError, SourceInfo, User, Whose,
};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Where secrets stand. The group in each is the secret; arguments end with a NUL.
const BUILTIN: &[&str] = &[
    // --password X, --db-password=X, -token X
    r"(?:^|\x00)--?(?:[a-z0-9]+[-_])*(?:password|passwd|passphrase|pass|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key)(?:=|\x00)([^\x00-][^\x00]*)",
    // DB_PASSWORD=X, also within `sh -c`, as a parameter of a URL, and behind an option (--env=DB_PASSWORD=X, a.password=X)
    r#"(?:^|[\x00 ;&?'"=,{:/])[a-z0-9_.-]*(?:password|passwd|secret|token|api_?key|access_?key)[a-z0-9_]*=["']?([^\x00 ;&'"]+)"#,
    // "password": "X" of JSON, also where it is cut off; and the same in a text in quotes
    r#""[a-z0-9_.-]*(?:password|passwd|secret|token|api_?key|access_?key)[a-z0-9_]*" *: *"((?:[^"\\\x00]|\\[^\x00])+)"#,
    r#"\\+"[a-z0-9_.-]*(?:password|passwd|secret|token|api_?key|access_?key)[a-z0-9_]*\\+" *: *\\+"([^"\\\x00]+)"#,
    // aws configure set aws_secret_access_key X, npm config set …:_authToken X
    r"\x00(?:set|config)\x00[^\x00]*(?:password|passwd|secret|token|api_?key|access_?key)[a-z0-9_]*\x00([^\x00]+)",
    // A header of HTTP
    r#"authorization: *(?:[a-z]+ +)?([^\x00'"\r\n]+)"#,
    r#"(?:x-api-key|x-auth-token|x-vault-token|private-token|cookie): *([^\x00'"\r\n]+)"#,
    // scheme://user:X@host
    r"[a-z][a-z0-9+.-]*://[^/\x00:@ ]*:([^/\x00@ ]+)@",
    // https://X@host, where X is too long for a name of a user
    r"https?://([^/\x00:@ ]{16,})@",
    // Signed URLs
    r"[?&](?:x-amz-signature|x-amz-security-token|x-goog-signature|sig|signature)=([^\x00& ]+)",
    // AWS, GitHub, GitLab, Slack; JSON Web Tokens
    r"\b((?-i:AKIA|ASIA)[0-9A-Z]{16})\b",
    r"\b(gh[pousr]_[a-z0-9]{20,}|github_pat_[a-z0-9_]{20,}|glpat-[a-z0-9_-]{16,}|xox[abprs]-[a-z0-9-]{10,})",
    r"\b(eyJ[a-z0-9_-]{8,}\.eyJ[a-z0-9_-]{8,}\.[a-z0-9_-]+)",
    // Programs with a way of their own
    r"(?:^|/)(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|mariadb-admin)\x00(?:[^\x00]*\x00)*?-p([^\x00]+)",
    r"(?:^|/)sshpass\x00-p\x00?([^\x00]+)",
    r"(?:^|/)curl\x00(?:[^\x00]*\x00)*?(?:-u|--user)[\x00=]?[^\x00:]*:([^\x00]+)",
];

/// What to overwrite.
#[derive(Debug)]
pub struct Redaction {
    /// All patterns at once, since most texts match none.
    any: RegexSet,
    each: Vec<Regex>,
}

/// A pattern is none.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is no pattern: {reason}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Redaction {
    /// The patterns that ship, if `builtin`, and `more`: regular expressions over the bytes of a command line, in which each
    /// argument ends with a NUL, in any case. The first group is overwritten, or the whole where there is none.
    pub fn new(builtin: bool, more: &[String]) -> Result<Self, PatternError> {
        let shipped = BUILTIN.iter().copied().filter(|_| builtin);
        let patterns: Vec<&str> = shipped.chain(more.iter().map(String::as_str)).collect();
        let mut each = Vec::new();
        for pattern in &patterns {
            let regex = RegexBuilder::new(pattern).unicode(false).case_insensitive(true).build();
            each.push(regex.map_err(|error| wrong(pattern, &error))?);
        }
        let any = RegexSetBuilder::new(&patterns).unicode(false).case_insensitive(true).build();
        Ok(Self { any: any.map_err(|error| wrong(&patterns.join(" "), &error))?, each })
    }

    /// Overwrites the secrets in one text.
    pub fn mask(&self, text: &mut [u8]) {
        if text.is_empty() || !self.any.is_match(text) {
            return;
        }
        for regex in &self.each {
            let mut found = regex.capture_locations();
            let mut at = 0;
            while let Some(secret) = next(regex, &mut found, text, at) {
                at = secret.end.max(at + 1);
                for byte in &mut text[secret] {
                    // The end of an argument stays one.
                    if *byte != 0 {
                        *byte = b'*';
                    }
                }
            }
        }
    }

    /// Overwrites the secrets in a run of records.
    pub fn mask_records(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some((texts, len)) = texts_of(&bytes[at..]) {
            for text in texts {
                self.mask(&mut bytes[at + text.start..at + text.end]);
            }
            at += len;
        }
    }
}

fn wrong(pattern: &str, error: &regex::Error) -> PatternError {
    let text = error.to_string();
    // The crate draws the pattern over several lines; the last one says what is wrong.
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    PatternError { pattern: pattern.to_owned(), reason }
}

/// The next secret from `at` on.
fn next(regex: &Regex, found: &mut CaptureLocations, text: &[u8], at: usize) -> Option<Range<usize>> {
    if at > text.len() {
        return None;
    }
    let whole = regex.captures_read_at(found, text, at)?;
    let (start, end) = found.get(1).unwrap_or((whole.start(), whole.end()));
    Some(start..end)
}

/// Where the first record has texts that may hold secrets, and how long it is; `None` after the last. A command line says nothing
/// of the environment behind it.
fn texts_of(bytes: &[u8]) -> Option<([Range<usize>; 2], usize)> {
    let (_, record) = records(bytes).next()?;
    let record = record.ok()?;
    let len = record.head.len as usize;
    let texts = match record.body {
        Body::Exec(exec) => {
            let end = len - exec.env.len();
            [end - exec.argv.len()..end, end..len]
        }
        Body::Argv(argv) => [len - argv.bytes.len()..len, 0..0],
        Body::Call(call) => {
            let end = len - (call.first_base.len() + call.second_base.len() + call.path.len());
            [end - call.data.len()..end, 0..0]
        }
        _ => [0..0, 0..0],
    };
    Some((texts, len))
}

/// A source or a host whose answers are redacted.
#[derive(Debug)]
pub struct Redacted<T> {
    inner: T,
    redaction: Arc<Redaction>,
}

impl<T> Redacted<T> {
    /// What `inner` says, redacted.
    pub fn new(inner: T, redaction: Arc<Redaction>) -> Self {
        Self { inner, redaction }
    }
}

impl<S: Source> Source for Redacted<S> {
    fn describe(&self) -> SourceInfo {
        self.inner.describe()
    }

    fn fill(&mut self, batch: &mut RawBatch, wait: Duration) -> Result<Fill, SourceError> {
        let begin = batch.bytes().len();
        let filled = self.inner.fill(batch, wait);
        self.redaction.mask_records(&mut batch.bytes_mut()[begin..]);
        filled
    }

    fn set_interest(&mut self, interest: &Interest) -> Result<(), SourceError> {
        self.inner.set_interest(interest)
    }

    fn not_a_container(&mut self, cgroup: u64) {
        self.inner.not_a_container(cgroup);
    }

    fn losses(&mut self, out: &mut Vec<Loss>) {
        self.inner.losses(out);
    }

    fn last_losses(&mut self, out: &mut Vec<Loss>) {
        self.inner.last_losses(out);
    }
}

impl<H: Host> Redacted<H> {
    fn redact(redaction: &Redaction, mut process: Process) -> Process {
        redaction.mask(&mut process.argv);
        process
    }
}

impl<H: Host> Host for Redacted<H> {
    fn node(&self) -> &str {
        self.inner.node()
    }

    fn wall_offset_ns(&self) -> i64 {
        self.inner.wall_offset_ns()
    }

    fn processes(&mut self, out: &mut dyn FnMut(Process)) {
        let redaction = &self.redaction;
        self.inner.processes(&mut |process| out(Self::redact(redaction, process)));
    }

    fn process(&mut self, pid: u32) -> Option<Process> {
        let process = self.inner.process(pid)?;
        Some(Self::redact(&self.redaction, process))
    }

    fn user(&mut self, uid: u32, whose: Whose<'_>) -> Lookup<User> {
        self.inner.user(uid, whose)
    }

    fn group(&mut self, gid: u32, whose: Whose<'_>) -> Lookup<Vec<u8>> {
        self.inner.group(gid, whose)
    }

    fn cgroup_path(&mut self, id: u64, pid: u32) -> Option<Vec<u8>> {
        self.inner.cgroup_path(id, pid)
    }

    fn has_v1_hierarchies(&mut self) -> bool {
        self.inner.has_v1_hierarchies()
    }

    fn v1_container_cgroup(&mut self, pid: u32, groups: u64) -> Option<u64> {
        self.inner.v1_container_cgroup(pid, groups)
    }
}

#[cfg(test)]
mod tests {
    use eyas_ebpf::{Exec, ExecFixed, Head, Record};

    use super::*;

    fn masked(args: &[&str]) -> String {
        let redaction = Redaction::new(true, &[]).expect("the shipped patterns");
        let mut text = args.iter().fold(Vec::new(), |mut text, arg| {
            text.extend_from_slice(arg.as_bytes());
            text.push(0);
            text
        });
        let len = text.len();
        redaction.mask(&mut text);
        assert_eq!(text.len(), len);
        let text = text.strip_suffix(b"\0").expect("an end");
        String::from_utf8_lossy(text).replace('\0', " ")
    }

    #[test]
    fn secrets_are_overwritten_and_what_tells_of_them_stays() {
        for (args, want) in [
            (&["psql", "--password", "hunter2", "db"][..], "psql --password ******* db"),
            (&["x", "--db-password=hunter2", "--verbose"], "x --db-password=******* --verbose"),
            (&["x", "--token", "--verbose"], "x --token --verbose"),
            (&["env", "DB_PASSWORD=hunter2", "sh"], "env DB_PASSWORD=******* sh"),
            (&["sh", "-c", "API_KEY='abc' run; id"], "sh -c API_KEY='***' run; id"),
            (&["curl", "-H", "Authorization: Bearer abc.def"], "curl -H Authorization: Bearer *******"),
            (&["curl", "-u", "me:pw", "http://h"], "curl -u me:** http://h"),
            (
                &["curl", "https://me:pw@h/x?access_token=abc&b=1"],
                "curl https://me:**@h/x?access_token=***&b=1",
            ),
            (&["/usr/bin/mysql", "-h", "db", "-phunter2"], "/usr/bin/mysql -h db -p*******"),
            (&["sshpass", "-p", "pw", "ssh", "h"], "sshpass -p ** ssh h"),
            (&["aws", "AKIAIOSFODNN7EXAMPLE"], "aws ********************"),
            (&["x", "ghp_0123456789abcdefghij"], "x ************************"),
            (&["docker", "run", "--env=DB_PASSWORD=pw", "i"], "docker run --env=DB_PASSWORD=** i"),
            (&["docker", "run", "-e", "DB_PASSWORD=pw", "i"], "docker run -e DB_PASSWORD=** i"),
            (
                &["kubectl", "create", "--from-literal=password=pw"],
                "kubectl create --from-literal=password=**",
            ),
            (&["helm", "--set", "auth.rootPassword=pw"], "helm --set auth.rootPassword=**"),
            (&["helm", "--set", "a=1,auth.password=pw"], "helm --set a=1,auth.password=**"),
            (
                &["curl", "-d", r#"{"user":"me", "password": "p\"w", "api_key":"k"}"#],
                r#"curl -d {"user":"me", "password": "****", "api_key":"*"}"#,
            ),
            (&["curl", "-d", r#"{"password":"hun"#], r#"curl -d {"password":"***"#),
            (&["sh", "-c", r#"curl -d "{\"password\":\"pw\"}""#], r#"sh -c curl -d "{\"password\":\"**\"}""#),
            (&["npm", "config", "set", "//r/:_authToken=abc"], "npm config set //r/:_authToken=***"),
            (
                &["aws", "configure", "set", "aws_secret_access_key", "abc"],
                "aws configure set aws_secret_access_key ***",
            ),
            (&["npm", "config", "set", "//r/:_authToken", "abc"], "npm config set //r/:_authToken ***"),
            (&["git", "clone", "https://0123456789abcdef@h/r"], "git clone https://****************@h/r"),
            // Nothing of these is a secret.
            (&["git", "clone", "https://me@h/r"], "git clone https://me@h/r"),
            (&["npm", "config", "get", "registry"], "npm config get registry"),
            (&["curl", "-d", r#"{"token_type":1}"#], r#"curl -d {"token_type":1}"#),
            (&["passwd", "root"], "passwd root"),
            (&["ls", "-p", "/tmp/token", "a=b"], "ls -p /tmp/token a=b"),
            (&["grep", "-r", "password", "/etc"], "grep -r password /etc"),
        ] {
            assert_eq!(masked(args), want);
        }
    }

    /// An option at the end of a command line does not take the first variable for its value.
    #[test]
    fn a_command_line_and_an_environment_are_two_texts() {
        let (argv, env) = (b"prog\0--token\0", b"LD_PRELOAD=/tmp/e.so\0DB_PASSWORD=x\0");
        let body = Body::Exec(Exec {
            fixed: ExecFixed::default(),
            more: b"",
            exe: b"",
            cwd: b"",
            filename: b"",
            interp: b"",
            argv,
            env,
        });
        let mut bytes = Vec::new();
        Record { head: Head::default(), body }.write(&mut bytes).expect("a record");
        Redaction::new(true, &[]).expect("the shipped patterns").mask_records(&mut bytes);
        let (_, record) = records(&bytes).next().expect("one");
        let Body::Exec(exec) = record.expect("a record").body else { panic!("an exec") };
        assert_eq!((exec.argv, exec.env), (&argv[..], &b"LD_PRELOAD=/tmp/e.so\0DB_PASSWORD=*\0"[..]));
    }

    #[test]
    fn a_pattern_of_the_users_own_is_used_or_refused_by_name() {
        let own = Redaction::new(false, &["ticket-([0-9]+)".into()]).expect("a pattern");
        let mut text = *b"ticket-123 --password x";
        own.mask(&mut text);
        assert_eq!(&text, b"ticket-*** --password x");
        let wrong = Redaction::new(true, &["a(".into()]).expect_err("an open group").to_string();
        assert!(wrong.starts_with("`a(` is no pattern: "), "{wrong}");
    }
}
