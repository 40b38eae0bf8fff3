//! Literals as an automaton over bytes: those that a path must begin with or be as a trie, those that stand anywhere or at
//! the end as Aho and Corasick have them. A prefix of an anchored literal says by itself where the search for the others
//! stands, so the states are the nodes of both trees and no product of them.

use std::collections::{BTreeMap, VecDeque};

use eyas_ebpf::filter::{GIVEN, GIVEN_END, HOLDS, MASKS, PATH, PATH_END, REST};
use eyas_event::PathTest;

/// Alternatives whose path passes, and whose given path passes.
type Both = [u32; 2];

/// A half word for each byte.
const CLASS_WORDS: usize = 256 / 2;

/// What a literal is asked for.
#[derive(Clone, Copy)]
pub(super) enum Test {
    Is,
    Begins,
    Ends,
    Holds,
}

/// A node of one of the trees.
#[derive(Default)]
struct Node {
    next: BTreeMap<u8, usize>,
    /// What passes from here on, and what does if the path ends here.
    holds: Both,
    ends: Both,
}

/// The two trees.
pub(super) struct Literals {
    anchored: Vec<Node>,
    search: Vec<Node>,
}

impl Default for Literals {
    fn default() -> Self {
        Self { anchored: vec![Node::default()], search: vec![Node::default()] }
    }
}

fn add(to: &mut Both, masks: Both) {
    to[0] |= masks[0];
    to[1] |= masks[1];
}

impl Literals {
    /// Takes in a test, by at most `cut` bytes of it: then it admits more.
    pub(super) fn add(&mut self, test: &PathTest, cut: usize, masks: Both) {
        let first = |text: &[u8]| text.len().min(cut);
        match test {
            PathTest::Is(text) if text.len() > cut => self.put(Test::Begins, &text[..cut], masks),
            PathTest::Is(text) => self.put(Test::Is, text, masks),
            PathTest::Begins(text) => self.put(Test::Begins, &text[..first(text)], masks),
            PathTest::Ends(text) => self.put(Test::Ends, &text[text.len() - first(text)..], masks),
            PathTest::Holds(text) => self.put(Test::Holds, &text[..first(text)], masks),
        }
    }

    /// Takes in a literal.
    pub(super) fn put(&mut self, test: Test, text: &[u8], masks: Both) {
        // No text is at the end of any, and in any: it begins them all, too.
        let (tree, test) = match test {
            Test::Ends | Test::Holds if text.is_empty() => (&mut self.anchored, Test::Begins),
            Test::Is | Test::Begins => (&mut self.anchored, test),
            Test::Ends | Test::Holds => (&mut self.search, test),
        };
        let mut at = 0;
        for byte in text {
            let new = tree.len();
            let next = *tree[at].next.entry(*byte).or_insert(new);
            if next == new {
                tree.push(Node::default());
            }
            at = next;
        }
        let node = &mut tree[at];
        add(if matches!(test, Test::Begins | Test::Holds) { &mut node.holds } else { &mut node.ends }, masks);
    }

    /// How many words an automaton of them takes.
    pub(super) fn words(&self) -> usize {
        let width = MASKS as usize + 1 + self.bytes().len();
        CLASS_WORDS + (self.anchored.len() + self.search.len()) * width
    }

    /// The bytes that stand in one of them, in their order.
    fn bytes(&self) -> Vec<u8> {
        let mut seen = [false; 256];
        for node in self.anchored.iter().chain(&self.search) {
            node.next.keys().for_each(|byte| seen[usize::from(*byte)] = true);
        }
        (0..=255).filter(|byte| seen[usize::from(*byte)]).collect()
    }
}

/// The states: first those of the search, then the anchored ones.
pub(super) struct Automaton {
    /// Each byte's class; 0 is that of the bytes in no literal.
    class: [u16; 256],
    classes: usize,
    states: Vec<State>,
    /// Where it begins.
    start: usize,
}

struct State {
    holds: Both,
    ends: Both,
    /// A state for each class.
    next: Vec<usize>,
}

impl Automaton {
    /// Builds it; `start` passes from the start on.
    pub(super) fn of(literals: &Literals, start: Both) -> Self {
        let bytes = literals.bytes();
        let mut class = [0; 256];
        for (number, byte) in (1..).zip(&bytes) {
            class[usize::from(*byte)] = number;
        }
        let classes = bytes.len() + 1;
        let mut automaton = Self { class, classes, states: Vec::new(), start: literals.search.len() };
        automaton.search(&literals.search, &bytes);
        automaton.anchored(&literals.anchored, &bytes);
        add(&mut automaton.states[literals.search.len()].holds, start);
        automaton
    }

    /// The states of the search, in the order of their nodes; those nearer to the root are made first.
    fn search(&mut self, nodes: &[Node], bytes: &[u8]) {
        let own = |node: &Node| State { holds: node.holds, ends: node.ends, next: vec![0; bytes.len() + 1] };
        self.states = nodes.iter().map(own).collect();
        let mut queue = VecDeque::from([(0, 0)]);
        while let Some((at, back)) = queue.pop_front() {
            // Its fall-back is nearer to the root, so that one is done already.
            for (class, byte) in (1..).zip(bytes) {
                let fallen = if at == 0 { 0 } else { self.states[back].next[class] };
                self.states[at].next[class] = match nodes[at].next.get(byte) {
                    Some(next) => {
                        queue.push_back((*next, fallen));
                        *next
                    }
                    None => fallen,
                };
            }
            let (holds, ends) = (self.states[back].holds, self.states[back].ends);
            add(&mut self.states[at].holds, holds);
            add(&mut self.states[at].ends, ends);
        }
    }

    /// The anchored states, each with what the search found on the way to it.
    fn anchored(&mut self, nodes: &[Node], bytes: &[u8]) {
        let first = self.states.len();
        // A child has a higher number than its parent, so the parent's search is known.
        let mut stands = vec![0; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let search = &self.states[stands[at]];
            let mut state = State { holds: search.holds, ends: search.ends, next: search.next.clone() };
            for (class, byte) in (1..).zip(bytes) {
                if let Some(next) = node.next.get(byte) {
                    stands[*next] = state.next[class];
                    state.next[class] = first + next;
                }
            }
            add(&mut state.holds, node.holds);
            add(&mut state.ends, node.ends);
            self.states.push(state);
        }
    }

    /// Writes classes and rows into `room`, which begins with the word of this number; it must be as long as
    /// [`Literals::words`] says. Gives the numbers of the first row, of the one behind a slash and of the one that the
    /// search rests in, and where the classes are.
    pub(super) fn write(&self, room: &mut [u32], begin: u32) -> [u32; 4] {
        let width = MASKS as usize + self.classes;
        let (classes, rows) = room.split_at_mut(CLASS_WORDS);
        let resting = &self.states[0];
        let column = |byte: usize| {
            let class = self.class[byte];
            let rests = resting.next[usize::from(class)] == 0;
            u32::from(((MASKS as u16 + class) * 4) | if rests { REST } else { 0 })
        };
        for (at, word) in classes.iter_mut().enumerate() {
            *word = column(at * 2) | column(at * 2 + 1) << 16;
        }
        let first = begin + CLASS_WORDS as u32;
        let number = |state: usize| {
            let holds = self.states[state].holds != [0, 0];
            ((first + (state * width) as u32) * 4) | if holds { HOLDS } else { 0 }
        };
        for (row, state) in rows.chunks_exact_mut(width).zip(&self.states) {
            (row[PATH as usize], row[GIVEN as usize]) = (state.holds[0], state.holds[1]);
            (row[PATH_END as usize], row[GIVEN_END as usize]) = (state.ends[0], state.ends[1]);
            for (next, state) in row[MASKS as usize..].iter_mut().zip(&state.next) {
                *next = number(*state);
            }
        }
        let rooted = self.states[self.start].next[usize::from(self.class[usize::from(b'/')])];
        [number(self.start), number(rooted), number(0), begin * 4]
    }
}
