//! Reads the kernel's description of its own types (BTF, Linux Documentation/bpf/btf.rst) and finds the byte offset of
//! a struct member by its dotted name, the number of a function, and whether a value of an enumeration is known.
//!
//! It reads the base format of `/sys/kernel/btf/vmlinux`; split BTF of modules is left alone. Every access is checked: a
//! file that is not what it says gives an error, never a panic.

use std::collections::HashMap;

const KIND_INT: u8 = 1;
const KIND_ARRAY: u8 = 3;
const KIND_STRUCT: u8 = 4;
const KIND_UNION: u8 = 5;
const KIND_ENUM: u8 = 6;
const KIND_TYPEDEF: u8 = 8;
const KIND_VOLATILE: u8 = 9;
const KIND_CONST: u8 = 10;
const KIND_RESTRICT: u8 = 11;
const KIND_FUNC: u8 = 12;
const KIND_FUNC_PROTO: u8 = 13;
const KIND_VAR: u8 = 14;
const KIND_DATASEC: u8 = 15;
const KIND_DECL_TAG: u8 = 17;
const KIND_TYPE_TAG: u8 = 18;
const KIND_ENUM64: u8 = 19;

/// Anonymous structs within structs, typedefs of typedefs: real kernels stay far below.
const MAX_DEPTH: u32 = 32;

/// Why bytes are no BTF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfError {
    /// The first bytes are not those of little-endian BTF.
    #[error("it does not start like BTF")]
    Magic,
    /// It ends where more should be.
    #[error("it ends or points outside of itself at byte {0}")]
    Short(usize),
    /// There is a kind of type that is not known, so that the rest cannot be found.
    #[error("type {id} is of the unknown kind {kind}")]
    Kind {
        /// Number of the type.
        id: u32,
        /// Its kind.
        kind: u8,
    },
}

/// The types of a kernel.
pub struct Btf {
    bytes: Vec<u8>,
    /// Where each type's entry starts; type 0 is void and has none.
    types: Vec<usize>,
    strings: usize,
    structs: HashMap<Vec<u8>, u32>,
}

struct Member {
    bit_offset: u32,
    type_id: u32,
}

impl Btf {
    /// Reads a BTF file.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BtfError> {
        if bytes.get(..2) != Some(&[0x9f, 0xeb]) {
            return Err(BtfError::Magic);
        }
        let mut btf = Self { bytes, types: vec![0], strings: 0, structs: HashMap::new() };
        let header = btf.word(4)? as usize;
        let mut at = header + btf.word(8)? as usize;
        let end = at + btf.word(12)? as usize;
        btf.strings = header + btf.word(16)? as usize;
        while at < end {
            let id = btf.types.len() as u32;
            btf.types.push(at);
            let (kind, count) = btf.kind_at(at)?;
            let extra = match kind {
                KIND_INT | KIND_VAR | KIND_DECL_TAG => 4,
                KIND_ARRAY => 12,
                KIND_STRUCT | KIND_UNION | KIND_DATASEC | KIND_ENUM64 => 12 * count,
                KIND_ENUM | KIND_FUNC_PROTO => 8 * count,
                0 | 20.. => return Err(BtfError::Kind { id, kind }),
                _ => 0,
            };
            if kind == KIND_STRUCT {
                let name = btf.text(btf.word(at)?)?.to_vec();
                btf.structs.entry(name).or_insert(id);
            }
            at += 12 + extra;
        }
        Ok(btf)
    }

    /// The byte offset of `struct.member.member…` through embedded structs, or the size of `sizeof.struct`; `None`
    /// when there is no such thing.
    pub fn offset(&self, path: &str) -> Option<u32> {
        let mut names = path.split('.');
        let first = names.next()?;
        if first == "sizeof" {
            let id = *self.structs.get(names.next()?.as_bytes())?;
            return self.word(self.entry(id).ok()? + 8).ok();
        }
        let mut id = *self.structs.get(first.as_bytes())?;
        let mut bits = 0_u32;
        for name in names {
            let member = self.member(id, name.as_bytes(), MAX_DEPTH).ok()??;
            bits = bits.checked_add(member.bit_offset)?;
            id = member.type_id;
        }
        // A bit field that does not start at a byte has no byte offset.
        bits.is_multiple_of(8).then_some(bits / 8)
    }

    /// The number of the type entry of a function; `None` when there is none of that name.
    pub fn function(&self, name: &str) -> Option<u32> {
        let is_it = |at: usize| {
            let (kind, _) = self.kind_at(at)?;
            Ok::<_, BtfError>(kind == KIND_FUNC && self.text(self.word(at)?)? == name.as_bytes())
        };
        let at = self.types.iter().skip(1).position(|at| is_it(*at).unwrap_or(false))?;
        u32::try_from(at + 1).ok()
    }

    /// Whether some enumeration has a value of that name.
    pub fn has_enumerator(&self, name: &str) -> bool {
        let is_in = |at: usize| {
            let (kind, count) = self.kind_at(at)?;
            if kind != KIND_ENUM {
                return Ok(false);
            }
            for part in 0..count {
                if self.text(self.word(at + 12 + 8 * part)?)? == name.as_bytes() {
                    return Ok::<_, BtfError>(true);
                }
            }
            Ok(false)
        };
        self.types.iter().skip(1).any(|at| is_in(*at).unwrap_or(false))
    }

    fn word(&self, at: usize) -> Result<u32, BtfError> {
        let chunk = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        chunk.map(|chunk| u32::from_le_bytes(*chunk)).ok_or(BtfError::Short(at))
    }

    fn entry(&self, id: u32) -> Result<usize, BtfError> {
        self.types.get(id as usize).copied().ok_or(BtfError::Short(id as usize))
    }

    /// Kind of the entry at `at`, and how many parts it has.
    fn kind_at(&self, at: usize) -> Result<(u8, usize), BtfError> {
        let info = self.word(at + 4)?;
        Ok(((info >> 24 & 0x1f) as u8, (info & 0xffff) as usize))
    }

    fn text(&self, offset: u32) -> Result<&[u8], BtfError> {
        let start = self.strings + offset as usize;
        let rest = self.bytes.get(start..).ok_or(BtfError::Short(start))?;
        rest.split(|byte| *byte == 0).next().ok_or(BtfError::Short(start))
    }

    /// Looks a member up, also in the unnamed structs and unions within.
    fn member(&self, id: u32, name: &[u8], depth: u32) -> Result<Option<Member>, BtfError> {
        let Some(at) = self.record(id, depth)? else { return Ok(None) };
        let (_, count) = self.kind_at(at)?;
        // Bit 31: the upper eight bits of an offset are the width of a bit field.
        let mask = if self.word(at + 4)? >> 31 == 1 { 0x00ff_ffff } else { u32::MAX };
        for part in 0..count {
            let part = at + 12 + 12 * part;
            let (own, type_id) = (self.text(self.word(part)?)?, self.word(part + 4)?);
            let bit_offset = self.word(part + 8)? & mask;
            if own == name {
                return Ok(Some(Member { bit_offset, type_id }));
            }
            if own.is_empty()
                && depth > 0
                && let Some(inner) = self.member(type_id, name, depth - 1)?
            {
                return Ok(Some(Member { bit_offset: bit_offset + inner.bit_offset, ..inner }));
            }
        }
        Ok(None)
    }

    /// The entry of the struct or union that `id` stands for, typedefs and qualifiers taken off.
    fn record(&self, mut id: u32, depth: u32) -> Result<Option<usize>, BtfError> {
        for _ in 0..=depth {
            if id == 0 {
                return Ok(None);
            }
            let at = self.entry(id)?;
            match self.kind_at(at)?.0 {
                KIND_STRUCT | KIND_UNION => return Ok(Some(at)),
                KIND_TYPEDEF | KIND_VOLATILE | KIND_CONST | KIND_RESTRICT | KIND_TYPE_TAG => {
                    id = self.word(at + 8)?;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BTF of `struct a { int x; union { struct b y; }; }` and `struct b { int p; int q; }`.
    fn small() -> Vec<u8> {
        let strings = b"\0a\0b\0x\0y\0p\0q\0int\0";
        let word = |value: u32| value.to_le_bytes();
        let mut types = Vec::new();
        let mut put = |words: &[u32]| words.iter().for_each(|value| types.extend(word(*value)));
        put(&[13, u32::from(KIND_INT) << 24, 4, 32]); // 1: int
        put(&[3, u32::from(KIND_STRUCT) << 24 | 2, 8, 9, 1, 0, 11, 1, 32]); // 2: struct b
        put(&[0, u32::from(KIND_UNION) << 24 | 1, 8, 7, 4, 0]); // 3: the unnamed union
        put(&[0, u32::from(KIND_CONST) << 24, 2]); // 4: const struct b
        put(&[1, u32::from(KIND_STRUCT) << 24 | 2, 12, 5, 1, 0, 0, 3, 32]); // 5: struct a
        put(&[11, u32::from(KIND_FUNC) << 24, 0]); // 6: a function called q, its type left out
        put(&[0, u32::from(KIND_ENUM) << 24 | 2, 4, 5, 0, 9, 1]); // 7: an enumeration of x and p
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        for value in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
            bytes.extend(word(value));
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn members_are_found_through_unnamed_unions_and_qualifiers() {
        let btf = Btf::parse(small()).expect("well formed");
        assert_eq!(btf.offset("a.x"), Some(0));
        assert_eq!(btf.offset("a.y"), Some(4));
        assert_eq!(btf.offset("a.y.q"), Some(8));
        assert_eq!(btf.offset("sizeof.a"), Some(12));
        assert_eq!(btf.offset("a.z"), None);
        assert_eq!(btf.offset("c.x"), None);
        assert_eq!(btf.offset("a.x.p"), None);
        assert_eq!(btf.function("q"), Some(6));
        assert_eq!(btf.function("a"), None);
        assert!(btf.has_enumerator("p") && !btf.has_enumerator("q"));
    }

    #[test]
    fn broken_files_are_refused_or_answer_nothing_and_never_panic() {
        let whole = small();
        assert_eq!(Btf::parse(b"ELF".to_vec()).err(), Some(BtfError::Magic));
        for len in 0..whole.len() {
            if let Ok(btf) = Btf::parse(whole[..len].to_vec()) {
                let _ = (btf.offset("a.y.q"), btf.function("q"), btf.has_enumerator("q"));
            }
        }
        for at in 2..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            if let Ok(btf) = Btf::parse(bent) {
                let _ = (btf.offset("a.y.q"), btf.function("q"), btf.has_enumerator("q"));
            }
        }
    }
}
