//! What the actions do, by what they do it with. The parts that other programs play in an action are functions as well, found
//! by name, because they begin in a new process.

pub(super) mod files;
pub(super) mod network;
pub(super) mod programs;
pub(super) mod quiet;
pub(super) mod system;

use super::action::Step;

/// The part with that name.
pub(super) fn part(name: &str) -> Option<Step> {
    let all = [programs::PARTS, network::PARTS, system::PARTS];
    all.into_iter().flatten().find(|(known, _)| *known == name).map(|(_, step)| *step)
}
