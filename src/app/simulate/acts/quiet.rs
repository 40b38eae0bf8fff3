//! A program that ends at once and well, as bytes: an ELF file of a header, one segment and a few instructions. It needs no
//! library and no file of the system, so that it runs under any name, with any arguments, as any user.

/// The file.
pub(crate) const PROGRAM: &[u8] = &BYTES;

const HEAD: usize = 64 + 56;
const SIZE: usize = HEAD + CODE.len();
/// Where the file is mapped.
const BASE: u64 = 0x40_0000;

// exit(0): the instructions, and the machine's number in ELF.
#[cfg(target_arch = "x86_64")]
const CODE: [u8; 9] = [0xb8, 0x3c, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const CODE: [u8; 12] = [0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 0x01, 0, 0, 0xd4];
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

const BYTES: [u8; SIZE] = {
    let mut out = [0; SIZE];
    // e_ident: magic, 64 bits, little endian, version 1.
    put(&mut out, 0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    put(&mut out, 16, &2_u16.to_le_bytes()); // e_type: an executable
    put(&mut out, 18, &MACHINE.to_le_bytes());
    put(&mut out, 20, &1_u32.to_le_bytes()); // e_version
    put(&mut out, 24, &(BASE + HEAD as u64).to_le_bytes()); // e_entry
    put(&mut out, 32, &64_u64.to_le_bytes()); // e_phoff
    put(&mut out, 52, &64_u16.to_le_bytes()); // e_ehsize
    put(&mut out, 54, &56_u16.to_le_bytes()); // e_phentsize
    put(&mut out, 56, &1_u16.to_le_bytes()); // e_phnum
    put(&mut out, 58, &64_u16.to_le_bytes()); // e_shentsize
    put(&mut out, 64, &1_u32.to_le_bytes()); // p_type: to be loaded
    put(&mut out, 68, &5_u32.to_le_bytes()); // p_flags: read and execute
    put(&mut out, 80, &BASE.to_le_bytes()); // p_vaddr
    put(&mut out, 88, &BASE.to_le_bytes()); // p_paddr
    put(&mut out, 96, &(SIZE as u64).to_le_bytes()); // p_filesz
    put(&mut out, 104, &(SIZE as u64).to_le_bytes()); // p_memsz
    put(&mut out, 112, &0x1_0000_u64.to_le_bytes()); // p_align: pages of any size
    put(&mut out, HEAD, &CODE);
    out
};

const fn put(out: &mut [u8; SIZE], at: usize, bytes: &[u8]) {
    let mut i = 0;
    while i < bytes.len() {
        out[at + i] = bytes[i];
        i += 1;
    }
}
