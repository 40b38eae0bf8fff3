//! The kernel half of eyas: the programs that fill records when something happens and put them into the ring.
//!
//! They observe and never interfere. They know no kernel layout of their own: every offset is in `OFFSETS`, which the
//! user half fills from the running kernel's BTF before it loads the object. Built by `cargo xtask bpf` only.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod programs;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // No path of these programs panics: the verifier would not accept one that could run this.
    loop {}
}

/// The tracing functions of the kernel that these programs call are open to GPL programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
