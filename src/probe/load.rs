//! Loads the embedded object with the running kernel's offsets in it, and attaches what the kernel accepts.
//!
//! A hook that is refused is off, with the kernel's reason, and the others go on. Programs and links live as long as
//! the descriptors in [`Loaded`]: when this process ends, however it ends, the kernel removes them all.

use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray, ProgramArray, RingBuf};
use aya::programs::tp_btf::BtfTracePointLink;
use aya::programs::{BtfTracePoint, Program, ProgramError};
use aya::{Ebpf, EbpfLoader};
use eyas_ebpf::{
    Bitmap, CAST_SLOT, Family, Kind, MEMBER_SLOT, Made, Maker, Offsets, Unit, VALUE_SLOT, environment, nr,
    value,
};
use eyas_event::{HookState, HookStatus, Opens};
use rustix::thread::CapabilitySet;

use crate::btf::Btf;
use crate::error::{ProbeError, one_line};
use crate::filter::FilterMaps;
use crate::hooks::{Entry, HOOKS, Hook, URING_STRUCTS};
use crate::losses::{Sums, Tables};
use crate::probe::{Means, ProbeOptions, Reads, Skip};

static OBJECT: &[u8] = aya::include_bytes_aligned!("object/eyas.bpf.o");
/// The same programs for kernels without one of the helpers that [`Means`] tells of.
static OLDER: &[u8] = aya::include_bytes_aligned!("object/eyas-older.bpf.o");

/// One processor's [`eyas_ebpf::Counts`], as words.
type Counts = [u64; 2 + Kind::KERNEL_SLOTS];

/// The kernel's counters, and its tables of what was lost.
pub(crate) struct Counters {
    counts: PerCpuArray<MapData, Counts>,
    calls: PerCpuArray<MapData, [u64; Unit::CALL_SLOTS]>,
    makers: HashMap<MapData, [u64; 2], [u64; 3]>,
}

impl Counters {
    /// The counters.
    pub(crate) fn sums(&self) -> Result<Sums, MapError> {
        let mut sums = Sums { attempted: 0, filtered: 0, lost: Vec::new() };
        for [attempted, filtered, lost @ ..] in self.counts.get(&0, 0)?.iter() {
            sums.attempted += attempted;
            sums.filtered += filtered;
            sums.lost.push(*lost);
        }
        Ok(sums)
    }

    /// The tables.
    pub(crate) fn tables(&self) -> Result<Tables, MapError> {
        let calls = self.calls.get(&0, 0)?.iter().copied().collect();
        let makers = self.makers.iter().map(|entry| {
            let (maker, [count, comm @ ..]) = entry?;
            Ok((Maker::from_words(maker), Made { count, comm }))
        });
        // A walk over a table that changes begins anew and gives some twice.
        let mut makers = makers.collect::<Result<Vec<_>, MapError>>()?;
        makers.sort_by_key(|(maker, made)| (maker.words(), std::cmp::Reverse(made.count)));
        makers.dedup_by_key(|(maker, _)| *maker);
        Ok(Tables { calls, makers })
    }

    /// Takes makers out of their table.
    pub(crate) fn forget(&mut self, makers: &[Maker]) {
        for maker in makers {
            // One that is not there any more is forgotten already.
            let _gone = self.makers.remove(&maker.words());
        }
    }
}

/// The loaded object.
pub(crate) struct Loaded {
    pub(crate) counters: Counters,
    wanted: Array<MapData, Wanted>,
    variables: Variables,
    filter: FilterMaps,
    pub(crate) means: Means,
    pub(crate) hooks: Vec<HookStatus>,
    /// The kernel empties it when its last descriptor closes.
    #[expect(dead_code, reason = "held open for the programs")]
    families: ProgramArray<MapData>,
    uring: Uring,
    /// Owns programs and links, which end with it.
    pub(crate) ebpf: Ebpf,
}

/// The sets that the dispatcher goes by, as words: what is worth a second look through either entry, then the x86-64
/// numbers that are wanted.
type Wanted = [u64; 16];

/// The names of variables that the exec program goes by.
struct Variables {
    names: HashMap<MapData, u64, u8>,
    any: Array<MapData, u32>,
    now: Vec<u64>,
}

impl Variables {
    fn want(&mut self, wanted: &eyas_event::Variables) -> Result<(), String> {
        let short = wanted.iter().filter(|name| name.len() <= environment::NAME_MAX);
        let mut hashes: Vec<u64> = short.map(environment::hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() > environment::NAMES_MAX as usize {
            let many = hashes.len();
            return Err(format!(
                "rules name {many} variables of environments, and {} can be sent",
                environment::NAMES_MAX
            ));
        }
        // What is no longer wanted goes first, so that there is room.
        for old in self.now.iter().filter(|old| hashes.binary_search(old).is_err()) {
            self.names.remove(old).map_err(|error| one_line(&error))?;
        }
        for new in hashes.iter().filter(|new| !self.now.contains(new)) {
            self.names.insert(new, 1, 0).map_err(|error| one_line(&error))?;
        }
        self.any.set(0, u32::from(!hashes.is_empty()), 0).map_err(|error| one_line(&error))?;
        self.now = hashes;
        Ok(())
    }
}

/// The programs on `io_uring`, and whether they hang in the kernel now.
enum Uring {
    /// This kernel does not have or does not take them.
    Off,
    /// They hang as long as these live; none while nobody asks for what they tell.
    On(Vec<BtfTracePointLink>),
}

impl Uring {
    /// What the programs tell.
    const CALLS: [u64; 3] = [nr::OPENAT, nr::OPENAT2, nr::CONNECT];

    fn want(&mut self, ebpf: &mut Ebpf, calls: Bitmap) -> Result<(), String> {
        let Self::On(links) = self else { return Ok(()) };
        let wanted = Self::CALLS.into_iter().any(|number| calls.has(number));
        if !wanted {
            links.clear();
        } else if links.is_empty() {
            *links = hang_uring(ebpf)?;
        }
        Ok(())
    }
}

/// Attaches the programs on `io_uring`, which are loaded.
fn hang_uring(ebpf: &mut Ebpf) -> Result<Vec<BtfTracePointLink>, String> {
    let words = |error: ProgramError| one_line(&error);
    let uring = HOOKS.iter().filter(|hook| hook.entry == Entry::Uring);
    uring
        .map(|hook| {
            let program = tracepoint(ebpf, hook)?;
            let link = program.attach().map_err(words)?;
            program.take_link(link).map_err(words)
        })
        .collect()
}

/// Every number that a family handles.
pub(crate) fn everything() -> Bitmap {
    (0..512).filter(|number| Family::of(*number).is_some()).fold(Bitmap::EMPTY, Bitmap::with)
}

/// Sends these calls from now on.
fn want(map: &mut Array<MapData, Wanted>, calls: Bitmap) -> Result<(), String> {
    let mut words = [0; 16];
    words[..8].copy_from_slice(&calls.either_entry().words);
    words[8..].copy_from_slice(&calls.words);
    map.set(0, words, 0).map_err(|error| one_line(&error))
}

/// Loads and attaches; the reading end of the ring beside the rest.
pub(crate) fn load(options: &ProbeOptions) -> Result<(RingBuf<MapData>, Loaded), ProbeError> {
    let ring_bytes = options.ring_bytes;
    if !ring_bytes.is_power_of_two() || !(1 << 16..=1 << 30).contains(&ring_bytes) {
        return Err(ProbeError::RingSize(ring_bytes));
    }
    check_capabilities()?;
    let btf = read_btf()?;
    let offsets = Offsets::resolve(|path| btf.offset(path)).map_err(ProbeError::NoMember)?;
    let means = Means {
        plain_loads: false,
        loops: btf.has_enumerator("BPF_FUNC_loop"),
        typed_task: btf.has_enumerator("BPF_FUNC_get_current_task_btf"),
    };
    let cast = match options.reads {
        Reads::Cheapest if means.is_recent() => btf.function("bpf_rdonly_cast"),
        _ => None,
    };
    if let Some(cast) = cast
        && let Ok(opened) = load_with(options, &offsets, Means { plain_loads: true, ..means }, Some(cast))
    {
        return Ok(opened);
    }
    if !means.typed_task {
        allow_locked_memory();
    }
    // A kernel before 6.17 has the cast but wants a type. What it refuses for another reason it refuses again.
    load_with(options, &offsets, means, None)
}

/// Why this kernel can have no hooks on `io_uring`.
fn lacks_uring(offsets: &Offsets) -> Option<String> {
    offsets.absent(URING_STRUCTS).map(|member| format!("the kernel has no {member}"))
}

/// Before Linux 5.11 maps count against the limit of locked memory, which is far below what the ring takes. Raising it takes
/// `CAP_SYS_RESOURCE`; without it, the error of the map says what is missing.
fn allow_locked_memory() {
    let all = rustix::process::Rlimit { current: None, maximum: None };
    let _stays = rustix::process::setrlimit(rustix::process::Resource::Memlock, all);
}

/// Loads and attaches, with plain loads by the kernel's cast of this number, or without. With it, every hook has to be accepted.
fn load_with(
    options: &ProbeOptions,
    offsets: &Offsets,
    means: Means,
    cast: Option<u32>,
) -> Result<(RingBuf<MapData>, Loaded), ProbeError> {
    let ring_bytes = options.ring_bytes;
    let identity = Identity::of(options.skip)?;
    let lacks_uring = lacks_uring(offsets);
    let offsets = offsets.to_words();
    let mut values = offsets.to_vec();
    values.resize(value::COUNT, 0);
    values[value::PLAIN_LOADS] = u32::from(cast.is_some());
    values[value::SELF_TGID] = identity.tgid;
    values[value::SELF_NS_INO] = identity.ns_ino;
    values[value::ONLY_PIDNS] = options.only_pidns.unwrap_or(0);
    let object = filled(if means.is_recent() { OBJECT } else { OLDER }, cast, &values)?;
    let wake_bytes = u64::from(ring_bytes / 4);
    let mut loader = EbpfLoader::new();
    loader
        .override_global("SELF_NS_DEV", &identity.ns_dev, true)
        .override_global("WAKE_BYTES", &wake_bytes, true)
        .map_max_entries("EVENTS", ring_bytes);
    let mut ebpf = loader.load(&object).map_err(|error| ProbeError::Load(one_line(&error)))?;

    let ring = take(&mut ebpf, "EVENTS")?;
    let counters = Counters {
        counts: take(&mut ebpf, "COUNTS")?,
        calls: take(&mut ebpf, "LOST_CALLS")?,
        makers: take(&mut ebpf, "LOST_BY")?,
    };
    let mut families = take(&mut ebpf, "FAMILIES")?;
    let mut wanted: Array<MapData, Wanted> = take(&mut ebpf, ".bss.wanted")?;
    want(&mut wanted, everything()).map_err(ProbeError::Load)?;
    let variables = Variables {
        names: take(&mut ebpf, "ENV_NAMES")?,
        any: take(&mut ebpf, "ENV_WANTED")?,
        now: Vec::new(),
    };
    let filter = FilterMaps::new(take(&mut ebpf, "FILTER")?, take(&mut ebpf, ".bss.filter")?);
    let (hooks, uring) = attach_all(&mut ebpf, &mut families, lacks_uring.as_deref(), cast.is_some())?;
    Ok((ring, Loaded { counters, wanted, variables, filter, means, hooks, families, uring, ebpf }))
}

/// Takes a map out of the object as what it is.
fn take<M>(ebpf: &mut Ebpf, name: &str) -> Result<M, ProbeError>
where
    M: TryFrom<aya::maps::Map, Error = MapError>,
{
    let map = ebpf.take_map(name).ok_or_else(|| ProbeError::Load(format!("the object has no map {name}")))?;
    M::try_from(map).map_err(|error| ProbeError::Load(format!("map {name}: {}", one_line(&error))))
}

fn read_btf() -> Result<Btf, ProbeError> {
    let bytes = std::fs::read("/sys/kernel/btf/vmlinux").map_err(ProbeError::NoBtf)?;
    Ok(Btf::parse(bytes)?)
}

/// The object with the values in the places that the programs leave for them, and with calls of the kernel's cast.
fn filled(object: &[u8], cast: Option<u32>, values: &[u32]) -> Result<Vec<u8>, ProbeError> {
    /// `r = number` for any register, and for r0 (Linux: Documentation/bpf/standardization/instruction-set.rst).
    const MOVE: u8 = 0xb7;
    const MOVE_TO_R0: [u8; 4] = [MOVE, 0, 0, 0];
    /// `r = *(r + offset)`, of four, two, one and eight bytes.
    const LOADS: [u8; 4] = [0x61, 0x69, 0x71, 0x79];
    /// A call of the kernel function with this number.
    const CALL: [u8; 4] = [0x85, 0x20, 0, 0];
    let mut object = object.to_vec();
    for instruction in object.chunks_exact_mut(8) {
        let Some((operation, number)) = instruction.split_first_chunk_mut::<4>() else { continue };
        let asked = u32::from_le_bytes([number[0], number[1], number[2], number[3]]);
        let member = u16::from_le_bytes([operation[2], operation[3]]).checked_sub(MEMBER_SLOT);
        let value = |index: Option<u32>| index.and_then(|index| values.get(index as usize));
        if operation[0] == MOVE
            && let Some(value) = value(asked.checked_sub(VALUE_SLOT))
        {
            number.copy_from_slice(&value.to_le_bytes());
        } else if *operation == MOVE_TO_R0
            && asked == CAST_SLOT
            && let Some(cast) = cast
        {
            *operation = CALL;
            number.copy_from_slice(&cast.to_le_bytes());
        } else if LOADS.contains(&operation[0])
            && asked == 0
            && let Some(offset) = value(member.map(u32::from))
        {
            let far =
                |_| ProbeError::Load(format!("a member lies {offset} bytes into its struct, out of reach"));
            operation[2..].copy_from_slice(&i16::try_from(*offset).map_err(far)?.to_le_bytes());
        }
    }
    Ok(object)
}

/// `CAP_SYS_ADMIN` stands for both of the others, as it did before Linux 5.8.
fn check_capabilities() -> Result<(), ProbeError> {
    let Ok(own) = rustix::thread::capabilities(None) else { return Ok(()) };
    if own.effective.contains(CapabilitySet::SYS_ADMIN) {
        return Ok(());
    }
    let needed = [(CapabilitySet::BPF, "CAP_BPF"), (CapabilitySet::PERFMON, "CAP_PERFMON")];
    let missing: Vec<_> =
        needed.iter().filter(|(set, _)| !own.effective.contains(*set)).map(|(_, name)| *name).collect();
    if missing.is_empty() { Ok(()) } else { Err(ProbeError::Privilege { missing: missing.join(" and ") }) }
}

/// Whom the programs take for the sensor itself.
#[derive(Default)]
struct Identity {
    tgid: u32,
    ns_dev: u64,
    ns_ino: u32,
}

impl Identity {
    fn of(skip: Skip) -> Result<Self, ProbeError> {
        /// Inode number of the first pid namespace (Linux: `include/linux/proc_ns.h`).
        const FIRST_PIDNS: u64 = 0xefff_fffc;
        if skip == Skip::Nobody {
            return Ok(Self::default());
        }
        let tgid = std::process::id();
        let ns = rustix::fs::stat("/proc/self/ns/pid").map_err(|error| ProbeError::Identity(error.into()))?;
        if ns.st_ino == FIRST_PIDNS {
            return Ok(Self { tgid, ..Self::default() });
        }
        Ok(Self { tgid, ns_dev: ns.st_dev, ns_ino: ns.st_ino as u32 })
    }
}

/// Attaches every hook that the kernel accepts; with `strict` the first that it refuses is an error.
fn attach_all(
    ebpf: &mut Ebpf,
    families: &mut ProgramArray<MapData>,
    lacks_uring: Option<&str>,
    strict: bool,
) -> Result<(Vec<HookStatus>, Uring), ProbeError> {
    let asked: Vec<_> =
        HOOKS.iter().filter(|hook| hook.entry != Entry::Uring || lacks_uring.is_none()).collect();
    let mut verified = verify_all(ebpf, &asked, strict)?;
    let mut hooks = Vec::with_capacity(HOOKS.len());
    for hook in HOOKS {
        let state = match (hook.entry, lacks_uring) {
            (Entry::Uring, Some(reason)) => HookState::Off(reason.to_owned()),
            _ => match verified
                .remove(hook.program)
                .unwrap_or(Ok(()))
                .and_then(|()| attach(ebpf, families, hook))
            {
                Ok(()) => HookState::On,
                Err(reason) if strict => return Err(ProbeError::NoHook { name: hook.name, reason }),
                Err(reason) => HookState::Off(reason),
            },
        };
        hooks.push(HookStatus { name: hook.name, purpose: hook.purpose, state });
    }
    let dispatcher = HOOKS.iter().position(|hook| hook.entry == Entry::Dispatcher);
    if let Some(dispatcher) = dispatcher
        && matches!(hooks[dispatcher].state, HookState::Off(_))
    {
        for (status, hook) in hooks.iter_mut().zip(HOOKS) {
            if matches!((hook.entry, &status.state), (Entry::Family(_), HookState::On)) {
                status.state = HookState::Off(format!("{} is off", HOOKS[dispatcher].name));
            }
        }
    }
    let uring = attach_uring(ebpf, &mut hooks);
    if let Some(HookStatus { name, state: HookState::Off(reason), .. }) = hooks.first()
        && hooks.iter().all(|hook| matches!(hook.state, HookState::Off(_)))
    {
        return Err(ProbeError::NoHook { name, reason: reason.clone() });
    }
    Ok((hooks, uring))
}

/// Attaches the programs on `io_uring`, if all of them are loaded: each needs the others.
fn attach_uring(ebpf: &mut Ebpf, hooks: &mut [HookStatus]) -> Uring {
    let is_off = |status: &HookStatus| matches!(status.state, HookState::Off(_));
    let lacking = hooks.iter().zip(HOOKS).find(|(status, hook)| hook.entry == Entry::Uring && is_off(status));
    let why = match lacking {
        Some((status, _)) => format!("{} is off", status.name),
        None => match hang_uring(ebpf) {
            Ok(links) => return Uring::On(links),
            Err(why) => why,
        },
    };
    for (status, _) in hooks.iter_mut().zip(HOOKS).filter(|(_, hook)| hook.entry == Entry::Uring) {
        if status.state == HookState::On {
            status.state = HookState::Off(why.clone());
        }
    }
    Uring::Off
}

/// Has the kernel verify the programs of these hooks, side by side, since that is most of what a start takes; what it says, by
/// program. Where one refusal settles it, the shortest is asked about first.
fn verify_all<'h>(ebpf: &mut Ebpf, hooks: &[&'h Hook], strict: bool) -> Result<Verdicts<'h>, ProbeError> {
    const SHORTEST: &str = "on_exit";
    let btf = aya::Btf::from_sys_fs().map_err(|error| ProbeError::Load(one_line(&error)))?;
    let verify = |program: &mut Program, hook: &Hook| {
        let program: &mut BtfTracePoint =
            program.try_into().map_err(|error: ProgramError| one_line(&error))?;
        program.load(hook.tracepoint, &btf).map_err(|error| one_line(&error))
    };
    let mut verdicts = Verdicts::new();
    if strict
        && let Some(hook) = hooks.iter().find(|hook| hook.program == SHORTEST)
        && let Some(program) = ebpf.program_mut(SHORTEST)
    {
        let verdict = verify(program, hook);
        if let Err(reason) = verdict {
            return Err(ProbeError::NoHook { name: hook.name, reason });
        }
        verdicts.insert(SHORTEST, verdict);
    }
    std::thread::scope(|scope| {
        let mut under_way = Vec::new();
        for (name, program) in ebpf.programs_mut() {
            let hook = hooks.iter().find(|hook| hook.program == name && !verdicts.contains_key(name));
            if let Some(hook) = hook {
                under_way.push((hook.program, scope.spawn(|| verify(program, hook))));
            }
        }
        for (name, thread) in under_way {
            let ended = thread.join().unwrap_or_else(|_| Err("the thread that loaded it ended".to_owned()));
            verdicts.insert(name, ended);
        }
    });
    Ok(verdicts)
}

/// What the kernel said of each program.
type Verdicts<'h> = std::collections::HashMap<&'h str, Result<(), String>>;

/// Hangs a program that is loaded into its place.
fn attach(ebpf: &mut Ebpf, families: &mut ProgramArray<MapData>, hook: &Hook) -> Result<(), String> {
    let program = tracepoint(ebpf, hook)?;
    let words = |error: ProgramError| one_line(&error);
    match hook.entry {
        Entry::Tracepoint | Entry::Dispatcher => program.attach().map(drop).map_err(words),
        Entry::Family(family) => set_family(ebpf, families, family, hook),
        // All of them are, or none.
        Entry::Uring => Ok(()),
    }
}

/// Puts a family's program into its slot, so that the dispatcher reaches it.
fn set_family(
    ebpf: &mut Ebpf,
    families: &mut ProgramArray<MapData>,
    family: Family,
    hook: &Hook,
) -> Result<(), String> {
    let program = tracepoint(ebpf, hook)?;
    let fd = program.fd().map_err(|error| one_line(&error))?;
    families.set(family as u32, fd, 0).map_err(|error| one_line(&error))
}

fn tracepoint<'e>(ebpf: &'e mut Ebpf, hook: &Hook) -> Result<&'e mut BtfTracePoint, String> {
    let missing = || format!("the object has no program {}", hook.program);
    let program = ebpf.program_mut(hook.program).ok_or_else(missing)?;
    program.try_into().map_err(|error: ProgramError| one_line(&error))
}

impl Loaded {
    /// Sends these calls from now on, and no others.
    pub(crate) fn want(&mut self, calls: Bitmap) -> Result<(), String> {
        self.uring.want(&mut self.ebpf, calls)?;
        want(&mut self.wanted, calls)
    }

    /// Sends these variables of environments from now on, and no others.
    pub(crate) fn want_variables(&mut self, wanted: &eyas_event::Variables) -> Result<(), String> {
        self.variables.want(wanted)
    }

    /// From now on, only these openings are sent.
    pub(crate) fn filter(&mut self, opens: &Opens) -> Result<(), String> {
        self.filter.set(opens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_places_for_the_cast_and_for_each_value_and_each_is_filled() {
        let slots = |object: &[u8], number: u32| {
            object.chunks_exact(8).filter(|bytes| bytes[4..] == number.to_le_bytes()).count()
        };
        let object = filled(OBJECT, Some(7), &[1; value::COUNT]).expect("small offsets");
        let numbers = (0..value::COUNT as u32).map(|index| VALUE_SLOT + index);
        for number in numbers.chain([CAST_SLOT]) {
            assert_eq!(slots(&object, number), 0, "{number:#x}");
        }
        assert!(slots(OBJECT, CAST_SLOT) > 0);
        assert!(slots(OBJECT, VALUE_SLOT + value::PLAIN_LOADS as u32) > 0);
        assert_eq!(object.len(), OBJECT.len());
        // No kernel that needs the other object has the cast.
        assert_eq!(slots(OLDER, CAST_SLOT), 0);
    }
}
