//! Which openings are wanted: the tables of [`eyas_ebpf::filter`] as maps, and how a program asks them.
//!
//! There are two sets of tables, and a number whose lowest bit says which is in force. The user half writes the other set
//! and then raises the number. A program that finds the number raised after it was asked may have read tables that were
//! being written anew, so it leaves nothing out.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated::bpf_probe_read_user_str;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use eyas_ebpf::filter::{ALL_WORDS, Ask, BYTES, Glance, LONGEST, Tables, Whose, glance};

use super::dispatch::Call;
use super::open::Asked;
use super::read::{Typed, load, off, opaque};
use super::ring::COUNTS;

#[map]
static FILTER: Array<[u32; ALL_WORDS]> = Array::with_max_entries(2, 0);
#[map]
static FILTER_NUMBER: Array<u64> = Array::with_max_entries(1, 0);

/// The tables in force when the program began to ask.
struct Filter {
    words: Words,
    number: u64,
    place: *const u64,
}

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

/// Whether nobody wants this opening; then it is counted. The path is read here for the question alone, and once more
/// for the record: whoever changes it in between could as well have changed it before.
#[inline(always)]
pub fn is_unwanted(call: &Call, task: Typed) -> bool {
    let Some(filter) = Filter::in_force() else { return false };
    let asked = Asked::of(call);
    let glance = glance(&filter.words, asked.way(call, task), |whose| {
        let thread = match whose {
            Whose::Thread => task,
            Whose::Leader => match load(task, off!(task_leader)) {
                leader if leader == task => return None,
                leader => leader,
            },
        };
        Some([load(thread, off!(task_comm)), load(thread, off!(task_comm) + 8)])
    });
    let admitted = match glance {
        Glance::Wanted => true,
        Glance::Unwanted => false,
        Glance::Ask(ask) => admits(&filter.words, ask, asked.path),
    };
    !admitted && filter.is_in_force() && count()
}

/// Whether the path at this address of the caller's could be wanted. One that cannot be read is: its event has the path of
/// the file that was opened. So is one that does not fit, which the helper cuts off.
#[inline(always)]
fn admits(words: &Words, ask: Ask, path: u64) -> bool {
    let mut text = MaybeUninit::<[u64; LONGEST as usize / 8]>::uninit();
    let text: *mut u8 = text.as_mut_ptr().cast();
    // SAFETY: the text is as long as the helper is told.
    let len = unsafe { bpf_probe_read_user_str(text.cast(), LONGEST, path as *const c_void) };
    if len <= 0 || len >= i64::from(LONGEST) {
        return true;
    }
    // SAFETY: the filter asks for bytes of the text, which the helper has filled up to the NUL.
    ask.admits(words, |at| unsafe { *text.add(at as usize) })
}

impl Filter {
    #[inline(always)]
    fn in_force() -> Option<Self> {
        let place = FILTER_NUMBER.get_ptr(0)?;
        // SAFETY: a checked map value, which the user half changes as a whole.
        let number = unsafe { place.read_volatile() };
        let words = FILTER.get_ptr(number as u32 & 1)?;
        Some(Self { words: Words(words.cast()), number, place })
    }

    /// Whether these tables are in force still.
    #[inline(always)]
    fn is_in_force(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.place.read_volatile() == self.number }
    }
}

/// Counts an opening that is left out.
#[inline(always)]
fn count() -> bool {
    if let Some(counts) = COUNTS.get_ptr_mut(0) {
        // SAFETY: a checked map value, this processor's own.
        unsafe { (*counts).filtered += 1 };
    }
    true
}
