//! Loads the embedded object with what the running kernel is like in it, and holds the maps that it is steered by.
//!
//! Programs and links live as long as the descriptors in [`Loaded`]: when this process ends, however it ends, the kernel removes
//! them all.

use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray, ProgramArray, RingBuf};
use aya::{Ebpf, EbpfLoader};
use eyas_ebpf::environment::Begins;
use eyas_ebpf::{Bitmap, Family, Kind, Made, Maker, Offsets, Unit, environment, value};
use eyas_event::{Domains, HookStatus, Opens};
use rustix::thread::CapabilitySet;

use crate::attach::{Uring, attach_all, lacks_uring};
use crate::btf::Btf;
use crate::error::{ProbeError, one_line};
use crate::filter::FilterMaps;
use crate::losses::{Sums, Tables};
use crate::object::{OBJECT, OLDER, filled};
use crate::probe::{Means, ProbeOptions, Reads, Skip};

/// Whether the machine has arm64's registers and numbers.
const ARM64: bool = cfg!(target_arch = "aarch64");

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
    host_cgroups: HashMap<MapData, u64, u8>,
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

/// What the dispatcher goes by, as words: the set of what is worth a second look through either entry, that of the x86-64
/// numbers that are wanted, that of those wanted of containers only, and the address families.
type Wanted = [u64; 25];

/// Which calls to send.
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    /// The x86-64 numbers.
    pub(crate) numbers: Bitmap,
    /// Those of them that need be sent of containers only.
    pub(crate) contained: Bitmap,
    /// Of sockets that are made, which.
    pub(crate) domains: Domains,
}

/// The names of variables that the exec program goes by.
struct Variables {
    names: HashMap<MapData, u64, u8>,
    begins: Array<MapData, Begins>,
    now: Vec<u64>,
}

// What rules may name is what can be looked for.
const _: () = assert!(
    eyas_event::Variables::MAX == environment::NAMES_MAX as usize
        && eyas_event::Variables::NAME_MAX == environment::NAME_MAX
);

impl Variables {
    fn want(&mut self, wanted: &eyas_event::Variables) -> Result<(), String> {
        let short = || wanted.iter().filter(|name| name.len() <= environment::NAME_MAX);
        let mut hashes: Vec<u64> = short().map(environment::hash).collect();
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
        self.begins.set(0, environment::begins(short()), 0).map_err(|error| one_line(&error))?;
        self.now = hashes;
        Ok(())
    }
}

/// Every number that a family handles.
pub(crate) fn everything() -> Bitmap {
    (0..512).filter(|number| Family::of(*number).is_some()).fold(Bitmap::EMPTY, Bitmap::with)
}

/// Sends these calls from now on.
fn want(map: &mut Array<MapData, Wanted>, calls: Calls) -> Result<(), String> {
    let mut words = [0; 25];
    let look = if ARM64 { calls.numbers.generic() } else { calls.numbers.either_entry() };
    words[..8].copy_from_slice(&look.words);
    words[8..16].copy_from_slice(&calls.numbers.words);
    words[16..24].copy_from_slice(&calls.contained.words);
    words[24] = calls.domains.bits();
    map.set(0, words, 0).map_err(|error| one_line(&error))
}

/// Loads and attaches; the reading end of the ring beside the rest.
pub(crate) fn load(options: &ProbeOptions) -> Result<(RingBuf<MapData>, Loaded), ProbeError> {
    let ring_bytes = options.ring_bytes;
    if !ring_bytes.is_power_of_two() || !(1 << 16..=1 << 30).contains(&ring_bytes) {
        return Err(ProbeError::RingSize(ring_bytes));
    }
    check_capabilities()?;
    // Each reads the kernel's types, which takes longer than anything here but the verifying.
    let (loader, btf, types) = std::thread::scope(|scope| {
        let loader = scope.spawn(EbpfLoader::new);
        let (btf, types) = (read_btf(), aya::Btf::from_sys_fs());
        (loader.join().unwrap_or_default(), btf, types)
    });
    let btf = btf?;
    let types = types.map_err(|error| ProbeError::Load(one_line(&error)))?;
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
        && let Ok(opened) =
            load_with(options, loader, &types, &offsets, Means { plain_loads: true, ..means }, Some(cast))
    {
        return Ok(opened);
    }
    if !means.typed_task {
        allow_locked_memory();
    }
    // A kernel before 6.17 has the cast but wants a type. What it refuses for another reason it refuses again.
    load_with(options, EbpfLoader::new(), &types, &offsets, means, None)
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
    loader: EbpfLoader<'_>,
    types: &aya::Btf,
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
    values[value::ARM64] = u32::from(ARM64);
    values[value::SELF_TGID] = identity.tgid;
    values[value::SELF_NS_INO] = identity.ns_ino;
    values[value::ONLY_PIDNS] = options.only_pidns.unwrap_or(0);
    let object = filled(if means.is_recent() { OBJECT } else { OLDER }, cast, &values)?;
    let wake_bytes = u64::from(ring_bytes / 4);
    let mut loader = loader;
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
    let calls = Calls { numbers: everything(), contained: Bitmap::EMPTY, domains: Domains::ALL };
    want(&mut wanted, calls).map_err(ProbeError::Load)?;
    let host_cgroups = take(&mut ebpf, "HOST_CGROUPS")?;
    let variables = Variables {
        names: take(&mut ebpf, "ENV_NAMES")?,
        begins: take(&mut ebpf, "ENV_BEGINS")?,
        now: Vec::new(),
    };
    let filter = FilterMaps::new(take(&mut ebpf, "FILTER")?, take(&mut ebpf, ".bss.filter")?);
    let (hooks, uring) = attach_all(&mut ebpf, types, &mut families, lacks_uring.as_deref(), cast.is_some())?;
    Ok((
        ring,
        Loaded { counters, wanted, host_cgroups, variables, filter, means, hooks, families, uring, ebpf },
    ))
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

impl Loaded {
    /// Sends these calls from now on, and no others.
    pub(crate) fn want(&mut self, calls: Calls) -> Result<(), String> {
        self.uring.want(&mut self.ebpf, calls.numbers)?;
        want(&mut self.wanted, calls)
    }

    /// A cgroup is no container's.
    pub(crate) fn not_a_container(&mut self, cgroup: u64) {
        // Of one that is not noted, everything is sent.
        let _noted = self.host_cgroups.insert(cgroup, 0, 0);
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
