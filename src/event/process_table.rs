//! [`ProcessTable`]: the newest value of every process, and the dead as long as somebody may ask for an ancestor. It is
//! filled by the `enrich` room. Its size is bounded by number and by bytes, whatever records are lost; what goes first
//! depends only on the order in which things came in, so that a replay forgets what the live run forgot.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::process::{Process, ProcessKey};

/// The newest value of every process, the dead for a while too.
#[derive(Debug)]
pub struct ProcessTable {
    by_key: FxHashMap<ProcessKey, Slot>,
    newest: FxHashMap<u32, ProcessKey>,
    /// The dead, in the order in which they ended.
    dead: VecDeque<ProcessKey>,
    running_bytes: usize,
    dead_bytes: usize,
    /// How many values were ever put in.
    put_in: u64,
    limits: Limits,
}

#[derive(Debug)]
struct Slot {
    process: Arc<Process>,
    ended: bool,
    /// The number under which this value was put in.
    order: u64,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
struct Limits {
    running: usize,
    running_bytes: usize,
    dead: usize,
    dead_bytes: usize,
}

/// Bytes count beside numbers, because a command line can be 4 MiB long. A process whose end was lost would stay for ever
/// without the limit on the running ones; 262,144 is more than a node runs (it is what Falco keeps), and one that is
/// forgotten although it runs is asked for again when it does something.
const LIMITS: Limits =
    Limits { running: 262_144, running_bytes: 256 << 20, dead: 16_384, dead_bytes: 32 << 20 };

/// Ancestors are followed at most this far: a chain that is longer is a cycle made by a reused pid.
const DEPTH_MAX: usize = 256;

impl Default for ProcessTable {
    fn default() -> Self {
        Self {
            by_key: FxHashMap::default(),
            newest: FxHashMap::default(),
            dead: VecDeque::new(),
            running_bytes: 0,
            dead_bytes: 0,
            put_in: 0,
            limits: LIMITS,
        }
    }
}

/// What a value takes in memory, near enough.
fn weight(p: &Process) -> usize {
    size_of::<Process>()
        + p.comm.len()
        + p.exe_path.len()
        + p.filename.len()
        + p.argv.len()
        + p.env.len()
        + p.cwd.len()
}

impl ProcessTable {
    /// The process with that identity; one of which only the pid is known is the newest that has it.
    pub fn get(&self, key: ProcessKey) -> Option<&Arc<Process>> {
        match self.by_key.get(&key) {
            Some(slot) => Some(&slot.process),
            None if key.start == 0 => self.by_pid(key.pid),
            None => None,
        }
    }

    /// The newest process that had this pid.
    pub fn by_pid(&self, pid: u32) -> Option<&Arc<Process>> {
        self.newest.get(&pid).and_then(|key| self.by_key.get(key)).map(|s| &s.process)
    }

    /// Whether that very process is noted as ended.
    pub fn has_ended(&self, key: ProcessKey) -> bool {
        self.by_key.get(&key).is_some_and(|s| s.ended)
    }

    /// The parent of a process.
    pub fn parent(&self, of: &Process) -> Option<&Arc<Process>> {
        if of.parent.pid == 0 || of.parent == of.key {
            return None;
        }
        self.get(of.parent)
    }

    /// The ancestors of a process, parent first.
    pub fn ancestors<'t>(&'t self, of: &'t Process) -> impl Iterator<Item = &'t Arc<Process>> {
        std::iter::successors(self.parent(of), |p| self.parent(p)).take(DEPTH_MAX)
    }

    /// Puts in a new or newer value. An earlier process with the same pid must have ended, whether or not that was seen.
    pub fn insert(&mut self, process: Arc<Process>) {
        let key = process.key;
        let bytes = weight(&process);
        self.put_in += 1;
        let order = self.put_in;
        if let Some(slot) = self.by_key.get_mut(&key) {
            let total = if slot.ended { &mut self.dead_bytes } else { &mut self.running_bytes };
            *total = *total - weight(&slot.process) + bytes;
            (slot.process, slot.order) = (process, order);
        } else {
            self.by_key.insert(key, Slot { process, ended: false, order });
            self.running_bytes += bytes;
        }
        match self.newest.insert(key.pid, key) {
            Some(other) if other.start < key.start => self.end(other),
            Some(other) if other.start > key.start => {
                self.newest.insert(key.pid, other);
                self.end(key);
            }
            _ => {}
        }
        let running = self.by_key.len() - self.dead.len();
        if running > self.limits.running || self.running_bytes > self.limits.running_bytes {
            self.forget_oldest();
        }
    }

    /// Notes that a process has ended. It can still be found until many others have ended too.
    pub fn end(&mut self, key: ProcessKey) {
        if let Some(slot) = self.by_key.get_mut(&key)
            && !slot.ended
        {
            slot.ended = true;
            let bytes = weight(&slot.process);
            self.running_bytes -= bytes;
            self.dead_bytes += bytes;
            self.dead.push_back(key);
        }
        // The newest of the dead stays in any case: its end is an event that is told after this.
        while self.dead.len() > 1
            && (self.dead.len() > self.limits.dead || self.dead_bytes > self.limits.dead_bytes)
        {
            let Some(key) = self.dead.pop_front() else { break };
            self.remove(key);
        }
    }

    /// Forgets an eighth of the processes that count as running, those first whose value is oldest.
    fn forget_oldest(&mut self) {
        let mut running: Vec<_> =
            self.by_key.iter().filter(|(_, s)| !s.ended).map(|(key, s)| (s.order, *key)).collect();
        running.sort_unstable();
        let (most, most_bytes) = (self.limits.running / 8 * 7, self.limits.running_bytes / 8 * 7);
        let mut left = running.len();
        for (_, key) in running {
            if left <= most.max(1) && self.running_bytes <= most_bytes || left == 1 {
                break;
            }
            left -= 1;
            self.remove(key);
        }
    }

    fn remove(&mut self, key: ProcessKey) {
        let Some(slot) = self.by_key.remove(&key) else { return };
        let total = if slot.ended { &mut self.dead_bytes } else { &mut self.running_bytes };
        *total -= weight(&slot.process);
        if self.newest.get(&key.pid) == Some(&key) {
            self.newest.remove(&key.pid);
        }
    }

    /// Every process that has not ended, oldest value first.
    pub fn running(&self) -> Vec<&Arc<Process>> {
        let mut running: Vec<_> = self.by_key.values().filter(|s| !s.ended).collect();
        running.sort_unstable_by_key(|s| s.order);
        running.into_iter().map(|s| &s.process).collect()
    }

    /// The process that runs under this number of a pid namespace. All are looked at, since few ask.
    pub fn in_namespace(&self, pid_ns: u32, vpid: u32) -> Option<&Arc<Process>> {
        let running = self.by_key.values().filter(|s| !s.ended).map(|s| &s.process);
        running.into_iter().find(|p| p.pid_ns == pid_ns && p.vpid == vpid)
    }

    /// The processes noted as ended that are still kept, in the order in which they ended.
    pub fn ended(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.dead.iter().filter_map(|key| self.by_key.get(key)).map(|s| &s.process)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, start: u64, parent: ProcessKey) -> Arc<Process> {
        Arc::new(Process { key: ProcessKey { pid, start }, parent, ..Process::default() })
    }

    #[test]
    fn a_reused_pid_does_not_take_over_its_predecessors_children() {
        let mut table = ProcessTable::default();
        let first = ProcessKey { pid: 10, start: 100 };
        table.insert(process(10, 100, ProcessKey::default()));
        table.insert(process(11, 150, first));
        table.end(first);
        table.insert(process(10, 200, ProcessKey { pid: 11, start: 150 }));
        let child = table.get(ProcessKey { pid: 11, start: 150 }).expect("child").clone();
        assert_eq!(table.parent(&child).expect("parent").key, first);
        assert_eq!(table.by_pid(10).expect("newest").key.start, 200);
    }

    #[test]
    fn a_cycle_of_parents_ends() {
        let mut table = ProcessTable::default();
        table.insert(process(1, 1, ProcessKey { pid: 2, start: 2 }));
        table.insert(process(2, 2, ProcessKey { pid: 1, start: 1 }));
        let one = table.by_pid(1).expect("one").clone();
        assert_eq!(table.ancestors(&one).count(), DEPTH_MAX);
    }

    fn small() -> ProcessTable {
        let limits = Limits { running: 16, running_bytes: 1 << 20, dead: 4, dead_bytes: 1 << 20 };
        ProcessTable { limits, ..ProcessTable::default() }
    }

    #[test]
    fn a_pid_that_comes_round_says_that_its_first_bearer_ended() {
        let mut table = small();
        table.insert(process(7, 1, ProcessKey::default()));
        table.insert(process(7, 2, ProcessKey::default()));
        assert!(table.has_ended(ProcessKey { pid: 7, start: 1 }));
        assert_eq!((table.running().len(), table.ended().count()), (1, 1));
        // Told of late, the older one does not take the pid over.
        table.insert(process(7, 0, ProcessKey::default()));
        assert_eq!(table.by_pid(7).expect("newest").key.start, 2);
        assert_eq!(table.running().len(), 1);
    }

    #[test]
    fn processes_whose_end_is_never_seen_do_not_fill_the_memory() {
        let mut table = small();
        for pid in 1..=1_000 {
            table.insert(process(pid, 5, ProcessKey::default()));
            assert!(table.len() <= 17);
            assert!(table.by_pid(pid).is_some(), "the newest stays");
        }
        assert!(table.newest.len() <= 17);
        let order: Vec<u32> = table.running().iter().map(|p| p.key.pid).collect();
        assert!(order.is_sorted() && order.last() == Some(&1_000));
    }

    #[test]
    fn long_command_lines_count_by_their_bytes() {
        let mut table = small();
        for pid in 1..=100 {
            let long = Process {
                argv: vec![b'x'; 300 << 10].into(),
                ..(*process(pid, 5, ProcessKey::default())).clone()
            };
            table.insert(Arc::new(long));
            assert!(table.running_bytes <= 2 << 20 && table.by_pid(pid).is_some());
            if pid % 2 == 0 {
                table.end(ProcessKey { pid, start: 5 });
                assert!(table.dead_bytes <= 1 << 20);
            }
        }
        let sum = |ended| {
            table.by_key.values().filter(|s| s.ended == ended).map(|s| weight(&s.process)).sum::<usize>()
        };
        assert_eq!((table.running_bytes, table.dead_bytes), (sum(false), sum(true)));
    }
}
