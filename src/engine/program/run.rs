//! Running code for one event.

use eyas_event::{EventType, Fields};

use crate::program::scratch::Seen;
use crate::program::{Ask, Code, Program, Scratch, Target};
use crate::ruleset::RuleId;

/// An answer that may be known already.
fn known(stamp: u32, number: u32) -> Option<bool> {
    (stamp >> 1 == number).then_some(stamp & 1 == 1)
}

impl Program {
    /// Starts an event: answers of the one before no longer count.
    pub fn begin(&self, scratch: &mut Scratch) {
        scratch.begin(self, &self.whole);
    }

    /// Whether a condition holds. [`Program::begin`] was called for this event.
    pub fn holds(&self, condition: usize, fields: &impl Fields, scratch: &mut Scratch) -> bool {
        self.run(&self.whole, self.whole.entries[condition], fields, scratch, &mut Vec::new())
    }

    /// Judges an event of a type: pushes the rules that fire, in no order.
    pub fn judge(
        &self,
        event: EventType,
        fields: &impl Fields,
        scratch: &mut Scratch,
        fired: &mut Vec<RuleId>,
    ) {
        if let Some(code) = self.code_for(event) {
            scratch.begin(self, code);
            self.run(code, code.entries[0], fields, scratch, fired);
        }
    }

    /// The code that judges events of a type; none when no rule can fire for it.
    pub(super) fn code_for(&self, event: EventType) -> Option<&Code> {
        let code = (*self.by_event.get(event.index())?)?;
        self.judging.get(code as usize)
    }

    fn run(
        &self,
        code: &Code,
        start: Target,
        fields: &impl Fields,
        scratch: &mut Scratch,
        fired: &mut Vec<RuleId>,
    ) -> bool {
        let number = scratch.number;
        let mut at = start;
        loop {
            // Both ends lie behind the last operation.
            let Some(op) = code.ops.get(at.0 as usize) else {
                let answer = at == Target::YES;
                // A block, or the whole, is decided.
                let Some((place, block)) = scratch.returns.pop() else { return answer };
                scratch.blocks[block as usize] = number << 1 | u32::from(answer);
                let op = &code.ops[place as usize];
                at = if answer { op.yes } else { op.no };
                continue;
            };
            let answer = match op.ask {
                Ask::Once(test) => self.matchers[test as usize].holds(fields, &mut scratch.buffers),
                Ask::Test(test) => {
                    let slot = test as usize;
                    known(scratch.tests[slot], number).unwrap_or_else(|| {
                        let answer = self.matchers[slot].holds(fields, &mut scratch.buffers);
                        scratch.tests[slot] = number << 1 | u32::from(answer);
                        answer
                    })
                }
                Ask::Column(place, bit) => {
                    let seen = self.seen(place, fields, scratch);
                    self.columns[usize::from(place)].holds(seen.row, &seen.own, bit)
                }
                Ask::Any(mask) => {
                    let mask = &self.masks[mask as usize];
                    let seen = self.seen(mask.column, fields, scratch);
                    let row = self.columns[usize::from(mask.column)].words(seen.row, &seen.own);
                    let row = row.get(mask.first..).unwrap_or_default();
                    row.iter().zip(&mask.words).any(|(row, mask)| row & mask != 0)
                }
                Ask::Block(block) => {
                    let Some(answer) = known(scratch.blocks[block as usize], number) else {
                        scratch.returns.push((at.0, block));
                        at = code.blocks[block as usize];
                        continue;
                    };
                    answer
                }
                Ask::Fire(rule) => {
                    fired.push(RuleId(rule));
                    true
                }
            };
            at = if answer { op.yes } else { op.no };
        }
    }

    /// What is in a column's row for this event.
    #[inline]
    fn seen<'s>(&self, place: u16, fields: &impl Fields, scratch: &'s mut Scratch) -> &'s Seen {
        let Scratch { columns, buffers, number, .. } = scratch;
        let seen = &mut columns[usize::from(place)];
        if seen.number != *number {
            seen.number = *number;
            seen.row = self.columns[usize::from(place)].row(fields, buffers, &mut seen.own);
        }
        seen
    }
}
