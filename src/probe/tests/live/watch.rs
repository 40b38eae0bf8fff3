//! Opens the sensor, collects what it sends, and finds records in it.

use std::path::Path;
use std::time::{Duration, Instant};

use eyas_ebpf::{Body, Call, Connect, Exec, ExecFailed, ForkFixed, Head, Open, Record, records, write_path};
use eyas_event::{RawBatch, Source};
use eyas_probe::{Probe, ProbeOptions};

/// Long enough for a loaded machine; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Watch {
    pub(crate) probe: Probe,
    batch: RawBatch,
    /// Everything that came, one record after the other.
    pub(crate) bytes: Vec<u8>,
}

/// The sensor, or `None` with the reason printed when it may not run here.
pub(crate) fn watch() -> Option<Watch> {
    watch_with(&ProbeOptions::default())
}

pub(crate) fn watch_with(options: &ProbeOptions) -> Option<Watch> {
    // The records' pids are those of the first pid namespace: elsewhere they would not be ours to compare with.
    let pidns = rustix::fs::stat("/proc/self/ns/pid").unwrap().st_ino;
    if pidns != 0xefff_fffc {
        println!("skipped: not in the first pid namespace");
        return None;
    }
    open_watch(options)
}

/// The same wherever this is, for tests that compare no pids.
pub(crate) fn open_watch(options: &ProbeOptions) -> Option<Watch> {
    match Probe::open(options) {
        Ok(probe) => Some(Watch { probe, batch: RawBatch::with_capacity(1 << 20), bytes: Vec::new() }),
        Err(error @ eyas_probe::ProbeError::Privilege { .. }) => {
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whether this is root, which some tests must be for the scene and not for the sensor; printed when it is not.
pub(crate) fn is_root() -> bool {
    let is = rustix::process::geteuid().is_root();
    if !is {
        println!("skipped: only root can set this scene");
    }
    is
}

impl Watch {
    /// Takes what comes until `enough` says so of the latest of it. The rest of the machine may be busy, so nothing is
    /// looked at twice: the ring would fill meanwhile.
    pub(crate) fn until(&mut self, mut enough: impl FnMut(&[u8]) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut seen = 0;
        while !enough(&self.bytes[seen..]) {
            let totals = self.probe.totals().unwrap();
            assert!(Instant::now() < end, "the record that the test waits for did not come: {totals:?}");
            seen = self.bytes.len();
            self.take(Duration::from_millis(50));
        }
    }

    /// Takes what comes until the process with this pid has ended.
    pub(crate) fn until_exit(&mut self, tgid: u32) {
        self.until(|bytes| {
            bodies(bytes).any(|(head, body)| head.tgid == tgid && matches!(body, Body::Exit(_)))
        });
    }

    /// Takes what is there, waiting at most so long for the first of it.
    pub(crate) fn take(&mut self, wait: Duration) {
        self.batch.clear();
        self.probe.fill(&mut self.batch, wait).unwrap();
        self.bytes.extend_from_slice(self.batch.bytes());
    }
}

/// All records; each must be whole.
pub(crate) fn bodies(bytes: &[u8]) -> impl Iterator<Item = (Head, Body<'_>)> {
    records(bytes).map(|(at, record)| {
        let Record { head, body } = record.unwrap_or_else(|error| panic!("at {at}: {error}"));
        (head, body)
    })
}

macro_rules! finders {
    ($($name:ident: $variant:ident -> $body:ty;)*) => { $(
        #[doc = concat!("The ", stringify!($variant), " records of a process, in their order.")]
        pub(crate) fn $name(bytes: &[u8], tgid: u32) -> Vec<(Head, $body)> {
            let own = bodies(bytes).filter(|(head, _)| head.tgid == tgid);
            own.filter_map(|(head, body)| match body {
                Body::$variant(body) => Some((head, body)),
                _ => None,
            })
            .collect()
        }
    )* };
}
finders! {
    execs: Exec -> Exec<'_>;
    opens: Open -> Open<'_>;
    connects: Connect -> Connect<'_>;
    calls: Call -> Call<'_>;
    failed_execs: ExecFailed -> ExecFailed<'_>;
    forks: Fork -> ForkFixed;
}

/// A leaf-first path as text.
pub(crate) fn path(section: &[u8]) -> String {
    let mut text = Vec::new();
    write_path(section, &mut text);
    String::from_utf8(text).unwrap()
}

/// The same path with every link in it followed.
pub(crate) fn real(path: impl AsRef<Path>) -> String {
    path.as_ref().canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// Arguments out of a command line.
pub(crate) fn args(argv: &[u8]) -> Vec<String> {
    let argv = argv.strip_suffix(b"\0").unwrap();
    argv.split(|byte| *byte == 0).map(|arg| String::from_utf8(arg.to_vec()).unwrap()).collect()
}

/// A device number as the kernel holds it.
pub(crate) fn kernel_dev(dev: u64) -> u32 {
    rustix::fs::major(dev) << 20 | rustix::fs::minor(dev)
}
