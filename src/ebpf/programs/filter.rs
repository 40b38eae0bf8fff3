//! Which openings are wanted: the tables of [`eyas_ebpf::filter`] as maps, and how a program asks them.
//!
//! There are two sets of tables, and a number whose lowest bit says which is in force. The user half writes the other set
//! and then raises the number. A program that finds the number raised after it was asked may have read tables that were
//! being written anew, so it leaves nothing out.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::bpf_probe_read_user_str;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray};
use eyas_ebpf::filter::{
    ALL_WORDS, BYTES, LONGEST, LONGEST_FILE, Tables, Whose, admits_file, is_nobodys, may_go_by_file,
};
use eyas_ebpf::refused::{self, Memory};

use super::dispatch::Call;
use super::open::Asked;
use super::read::{Typed, follow, has_plain_loads, load, member, off, opaque, unknown};
use super::ring::{COUNTS, Scratch, Slot, scratch};
use super::task;
use super::walk::{Place, append, append_by_call};

#[map]
static FILTER: Array<[u32; ALL_WORDS]> = Array::with_max_entries(2, 0);
/// Also the ways that nobody wants ([`is_nobodys`]), and those that the file may decide ([`may_go_by_file`]).
#[unsafe(no_mangle)]
#[unsafe(link_section = ".bss.filter")]
static mut FILTER_NUMBER: u64 = 0;
/// Only the dispatcher uses it, and the kernel never runs a program of a tracepoint within itself on one processor.
#[map]
static REFUSED: PerCpuArray<Memory> = PerCpuArray::with_max_entries(1, 0);

/// One set of tables.
struct Words(*const u8);

/// A multiple of four within the tables. The verifier follows this from the mask.
const PLACE: u64 = BYTES as u64 - 4;

impl Tables for Words {
    #[inline(always)]
    fn word(&self, mut at: u64) -> u64 {
        if cfg!(feature = "older") {
            // The mask has to stay, also where the compiler knows that it is needless.
            at = opaque(at);
        }
        // SAFETY: a checked map value of more bytes than that.
        unsafe { (*self.0.add((at & PLACE) as usize).cast::<u32>()).into() }
    }

    #[inline(always)]
    fn class(&self, mut table: u64, byte: u8) -> u64 {
        let mut byte = u64::from(byte);
        if cfg!(feature = "older") {
            (table, byte) = (opaque(table), opaque(byte) & 255);
        }
        // SAFETY: as above; behind the tables is room for a table of classes.
        unsafe { (*self.0.add((table & PLACE) as usize).cast::<u16>().add(byte as usize)).into() }
    }
}

/// What an opening's path as given says of it.
pub enum ByPath {
    /// It is wanted.
    Wanted,
    /// Nobody wants it, and it has been counted.
    Unwanted,
    /// Somebody may want the file that it led to; [`is_unwanted_file`] knows.
    AskFile,
}

/// What is known of an opening by its path. That is read here for the question alone, and once more for the record: whoever
/// changes it in between could as well have changed it before.
#[inline(always)]
pub fn by_path(call: &Call, task: Typed) -> ByPath {
    let number = in_force();
    // Nothing has been said yet of what is wanted.
    if number == 0 {
        return ByPath::Wanted;
    }
    let opening = Asked::of(call);
    // By now the verifier knows six ways in which it can be here.
    let way = unknown(opening.way(call, task).into(), number) as u32 & 15;
    let refused = is_nobodys(number, way) || refuses(number, way, opening.path, task);
    if !refused || number != in_force() {
        return ByPath::Wanted;
    }
    if !may_go_by_file(number, way) {
        count();
        return ByPath::Unwanted;
    }
    let Some(scratch) = scratch(Slot::Open) else { return ByPath::Wanted };
    // SAFETY: a checked map value, this processor's own; the program that the dispatcher jumps to next reads it.
    unsafe { (*scratch).asked = [number, way.into()] };
    ByPath::AskFile
}

/// Whether nobody wants an opening for the file that it led to; then it is counted. Nobody wanted it for its path, by the tables
/// with the number that the dispatcher left here.
#[inline(always)]
pub fn is_unwanted_file(scratch: *mut Scratch, call: &Call, task: Typed) -> bool {
    // SAFETY: a checked map value, this processor's own.
    let [number, way] = unsafe { (&raw const (*scratch).asked).read_volatile() };
    let file = task::file(task, call.ret);
    if file == 0 {
        return false;
    }
    let place = Place::at(file + off!(file_path));
    // As for the record.
    let names =
        if has_plain_loads() { append(scratch, 0, place) } else { append_by_call(Slot::Open, 0, place) };
    if !names.whole || names.len > LONGEST_FILE.into() {
        return false;
    }
    let Some(tables) = FILTER.get_ptr(number as u32 & 1) else { return false };
    let thread = |whose| match whose {
        Whose::Thread => task,
        Whose::Leader => follow!(task, task_leader),
    };
    let wanted = admits_file(
        &Words(tables.cast()),
        way as u32,
        |whose| Some(name(thread(whose))),
        names.len as u32,
        |mut at| {
            if cfg!(feature = "older") {
                at = opaque(at.into()) as u32;
            }
            // SAFETY: part of a checked map value that is longer than that.
            unsafe { *scratch.cast::<u8>().add((at & (2 * LONGEST_FILE - 1)) as usize) }
        },
    );
    !wanted && number == in_force() && count()
}

/// The name of a thread, as the kernel keeps it.
#[inline(always)]
fn name(thread: Typed) -> [u64; 2] {
    [member!(thread, task_comm), load(thread, off!(task_comm) + 8)]
}

/// The number of the tables in force.
#[inline(always)]
fn in_force() -> u64 {
    // SAFETY: the user half changes it as a whole.
    unsafe { (&raw const FILTER_NUMBER).read_volatile() }
}

/// Whether nobody wants an opening of the path at this address of the caller's. One that cannot be read is wanted: its event
/// has the path of the file that was opened. So is one that does not fit, which the helper cuts off.
#[inline(always)]
fn refuses(number: u64, way: u32, path: u64, task: Typed) -> bool {
    let mut text = MaybeUninit::<[u64; LONGEST as usize / 8]>::uninit();
    let text: *mut u64 = text.as_mut_ptr().cast();
    // SAFETY: the text is as long as the helper is told.
    let len = unsafe { bpf_probe_read_user_str(text.cast(), LONGEST, path as *const c_void) };
    if len <= 0 || len >= i64::from(LONGEST) {
        return false;
    }
    let (thread, leader) = (name(task), name(follow!(task, task_leader)));
    let asked = refused::Asked { tables: number, thread, leader, way, len: len as u32 };
    let (Some(memory), Some(tables)) = (REFUSED.get_ptr_mut(0), FILTER.get_ptr(number as u32 & 1)) else {
        return false;
    };
    // SAFETY: a checked map value, this processor's own; the text is longer than what is asked for, and the helper has filled
    // it up to the NUL.
    unsafe {
        (*memory).refuses(
            &asked,
            &Words(tables.cast()),
            |at| *text.add(at as usize),
            |at| *text.cast::<u8>().add(at as usize),
        )
    }
}

/// Counts a call that is left out, and says so: true.
#[inline(always)]
pub fn count() -> bool {
    if let Some(counts) = COUNTS.get_ptr_mut(0) {
        // SAFETY: a checked map value, this processor's own.
        unsafe { (*counts).filtered += 1 };
    }
    true
}
