//! Running code for one event.

use eyas_event::{EventType, Fields};

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
            let answer = match at {
                Target::YES => true,
                Target::NO => false,
                Target(place) => {
                    let op = code.ops[place as usize];
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
                            let column = &self.columns[usize::from(place)];
                            let seen = &mut scratch.columns[usize::from(place)];
                            if seen.number != number {
                                seen.number = number;
                                seen.row = column.row(fields, &mut scratch.buffers, &mut seen.own);
                            }
                            column.holds(seen.row, &seen.own, bit)
                        }
                        Ask::Block(block) => {
                            if let Some(answer) = known(scratch.blocks[block as usize], number) {
                                answer
                            } else {
                                scratch.returns.push((place, block));
                                at = code.blocks[block as usize];
                                continue;
                            }
                        }
                        Ask::Fire(rule) => {
                            fired.push(RuleId(rule));
                            true
                        }
                    };
                    at = if answer { op.yes } else { op.no };
                    continue;
                }
            };
            // A block, or the whole, is decided.
            let Some((place, block)) = scratch.returns.pop() else { return answer };
            scratch.blocks[block as usize] = number << 1 | u32::from(answer);
            let op = code.ops[place as usize];
            at = if answer { op.yes } else { op.no };
        }
    }
}
