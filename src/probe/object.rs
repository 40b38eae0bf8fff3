//! The embedded objects, and how what the user half knows is put into their instructions.

use eyas_ebpf::{CAST_SLOT, MEMBER_SLOT, VALUE_SLOT};

use crate::error::ProbeError;

pub(crate) static OBJECT: &[u8] = aya::include_bytes_aligned!("object/eyas.bpf.o");

/// The same programs for kernels without one of the helpers that [`Means`] tells of.
pub(crate) static OLDER: &[u8] = aya::include_bytes_aligned!("object/eyas-older.bpf.o");

/// The object with the values in the places that the programs leave for them, and with calls of the kernel's cast.
pub(crate) fn filled(object: &[u8], cast: Option<u32>, values: &[u32]) -> Result<Vec<u8>, ProbeError> {
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

#[cfg(test)]
mod tests {
    use eyas_ebpf::value;

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
