//! Judging one event.

use eyas_event::Fields;

use crate::program::{Ask, Program, Scratch, Target};

/// An answer that may be known already.
fn known(stamp: u32, number: u32) -> Option<bool> {
    (stamp >> 1 == number).then_some(stamp & 1 == 1)
}

impl Program {
    /// Starts an event: answers of the one before no longer count.
    pub fn begin(&self, scratch: &mut Scratch) {
        scratch.begin(self.matchers.len(), self.blocks.len(), self.depth);
    }

    /// Whether a condition holds. [`Program::begin`] was called for this event.
    pub fn holds(&self, condition: usize, fields: &impl Fields, scratch: &mut Scratch) -> bool {
        let number = scratch.number;
        let mut at = self.entries[condition];
        let floor = scratch.returns.len();
        loop {
            let answer = match at {
                Target::YES => true,
                Target::NO => false,
                Target(place) => {
                    let op = self.ops[place as usize];
                    let answer = match op.ask {
                        Ask::Test(test) => {
                            let slot = test as usize;
                            known(scratch.tests[slot], number).unwrap_or_else(|| {
                                let answer = self.matchers[slot].holds(fields, &mut scratch.buffers);
                                scratch.tests[slot] = number << 1 | u32::from(answer);
                                answer
                            })
                        }
                        Ask::Block(block) => {
                            if let Some(answer) = known(scratch.blocks[block as usize], number) {
                                answer
                            } else {
                                scratch.returns.push((place, block));
                                at = self.blocks[block as usize];
                                continue;
                            }
                        }
                    };
                    at = if answer { op.yes } else { op.no };
                    continue;
                }
            };
            // A block, or the whole condition, is decided.
            if scratch.returns.len() == floor {
                return answer;
            }
            let Some((place, block)) = scratch.returns.pop() else { return answer };
            scratch.blocks[block as usize] = number << 1 | u32::from(answer);
            let op = self.ops[place as usize];
            at = if answer { op.yes } else { op.no };
        }
    }
}
