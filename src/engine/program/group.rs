//! The rules that can fire for one event type, put in groups by what they share: a part that several conditions ask is asked
//! once, before them all, and when it fails none of them is looked at. Rules that share nothing but compare the same field,
//! each with constants of its own, are looked at when one of these constants is there.
//!
//! Falco judges rule by rule; here a thousand rules that want a file opened for writing cost one question to an event that
//! opened it for reading, and a thousand that want each another program's name cost one look-up.

use rustc_hash::FxHashMap;

use crate::ir::weigh::Weight;
use crate::ir::{Arena, Ir, IrId};
use crate::program::questions::{Bits, Questions};

/// A rule or a group of them.
#[derive(Debug)]
pub(super) enum Item {
    /// The rule fires when all parts hold.
    Rule { rule: u32, parts: Vec<IrId> },
    /// The items are looked at when the guard holds.
    Guarded { guard: Guard, items: Vec<Item> },
}

/// What must hold for a group to be looked at.
#[derive(Debug)]
pub(super) enum Guard {
    /// A part that all its rules share.
    Part(IrId),
    /// One of these bits of a column: each rule wants one of them.
    Any(Bits),
}

/// A rule and what must hold for it, in the order in which it is best asked.
type Open = (u32, Vec<IrId>);

/// Groups rules.
pub(super) fn group(
    arena: &Arena,
    weights: &[Weight],
    questions: &Questions,
    rules: &[(u32, IrId)],
) -> Vec<Item> {
    let rules = rules.iter().filter_map(|(rule, root)| {
        let mut parts = match arena.node(*root) {
            Ir::Constant(true) => Vec::new(),
            Ir::Constant(false) => return None,
            Ir::And(parts) => parts.to_vec(),
            _ => vec![*root],
        };
        sort(&mut parts, |part| weights[part.0 as usize].and_order());
        Some((*rule, parts))
    });
    let mut open: Vec<Open> = rules.collect();
    let mut items = Vec::new();
    // Groups inside groups are worked off from a list of our own, since rules can share a thousand parts.
    let mut waiting: Vec<(IrId, Vec<Open>, Vec<Item>)> = Vec::new();
    loop {
        if let Some(guard) = shared(&open, weights) {
            let (mut inside, outside): (Vec<Open>, Vec<Open>) =
                open.into_iter().partition(|(_, parts)| parts.contains(&guard));
            for (_, parts) in &mut inside {
                parts.retain(|part| *part != guard);
            }
            waiting.push((guard, outside, std::mem::take(&mut items)));
            open = inside;
            continue;
        }
        while let Some(bits) = same_column(arena, questions, &open) {
            let inside =
                |(_, parts): &Open| parts.iter().any(|part| bits.holds_all(questions.bits(arena, *part)));
            let (inside, outside): (Vec<Open>, Vec<Open>) = open.into_iter().partition(inside);
            let rules = inside.into_iter().map(|(rule, parts)| Item::Rule { rule, parts });
            items.push(Item::Guarded { items: rules.collect(), guard: Guard::Any(bits) });
            open = outside;
        }
        items.extend(open.into_iter().map(|(rule, parts)| Item::Rule { rule, parts }));
        let Some((guard, outside, before)) = waiting.pop() else { return items };
        let inside = std::mem::replace(&mut items, before);
        items.push(Item::Guarded { guard: Guard::Part(guard), items: inside });
        open = outside;
    }
}

/// The part that spares most when it fails, of those that at least two rules share.
fn shared(open: &[Open], weights: &[Weight]) -> Option<IrId> {
    let mut uses: FxHashMap<IrId, u32> = FxHashMap::default();
    for part in open.iter().flat_map(|(_, parts)| parts) {
        *uses.entry(*part).or_default() += 1;
    }
    let spared = |(part, uses): &(IrId, u32)| {
        let weight = weights[part.0 as usize];
        *uses as f32 * (1.0 - weight.holds) / (weight.cost + 1.0)
    };
    let many = uses.into_iter().filter(|(_, uses)| *uses > 1);
    // The number decides between equals, so that the same rules always give the same program.
    many.max_by(|a, b| spared(a).total_cmp(&spared(b)).then(b.0.cmp(&a.0))).map(|(part, _)| part)
}

/// So many rules are needed for a look-up before them to pay.
const SAME_COLUMN: usize = 4;

/// The bits that the rules want of the column of which most want one.
fn same_column(arena: &Arena, questions: &Questions, open: &[Open]) -> Option<Bits> {
    let mut columns: FxHashMap<u16, (usize, Bits)> = FxHashMap::default();
    for (_, parts) in open {
        // The first part counts, as the cheapest that a rule has of a column.
        let mut seen: Vec<u16> = Vec::new();
        for bits in parts.iter().filter_map(|part| questions.bits(arena, *part)) {
            if !seen.contains(&bits.column) {
                seen.push(bits.column);
                let (rules, all) =
                    columns.entry(bits.column).or_insert_with(|| (0, Bits { bits: Vec::new(), ..bits }));
                *rules += 1;
                all.bits.extend(bits.bits);
            }
        }
    }
    let most = columns.into_values().filter(|(rules, _)| *rules >= SAME_COLUMN);
    let (_, mut bits) = most.max_by_key(|(rules, bits)| (*rules, std::cmp::Reverse(bits.column)))?;
    bits.bits.sort_unstable();
    bits.bits.dedup();
    Some(bits)
}

/// Sorts parts by a key; equals keep their places.
pub(super) fn sort(parts: &mut [IrId], key: impl Fn(IrId) -> f32) {
    parts.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
}

/// Every node that the items ask for, as often as they do.
pub(super) fn asked(items: &[Item]) -> Vec<IrId> {
    let mut found = Vec::new();
    let mut waiting: Vec<&Item> = items.iter().collect();
    while let Some(item) = waiting.pop() {
        match item {
            Item::Rule { parts, .. } => found.extend(parts),
            Item::Guarded { guard, items } => {
                if let Guard::Part(part) = guard {
                    found.push(*part);
                }
                waiting.extend(items);
            }
        }
    }
    found
}
