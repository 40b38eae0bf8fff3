//! The abstract syntax tree of a condition: one arena, children before parents, every node with its range.
//!
//! A range counts bytes of the condition's spliced text; [`super::text::Spliced`] turns it into a span of the file. The
//! arena keeps every walk free of recursion, so that no nesting can exhaust a stack.

use std::ops::Range;

/// A node's place in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Bytes of the spliced text.
pub type Bytes = Range<u32>;

/// A tree.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    nodes: Vec<Node>,
}

/// A node with its range.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it is.
    pub bytes: Bytes,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// All hold; two or more.
    And(Vec<NodeId>),
    /// One holds; two or more.
    Or(Vec<NodeId>),
    /// The other does not hold.
    Not(NodeId),
    /// A comparison.
    Check(Box<Check>),
    /// A macro, by name.
    Macro(String),
    /// What stood here did not parse; the parser said so.
    Broken,
}

/// A comparison.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is compared.
    pub lhs: Operand,
    /// How.
    pub op: Op,
    /// Where the operator stands.
    pub op_bytes: Bytes,
    /// `oneof`, `anyof` or `allof` before a list.
    pub modifier: Option<Modifier>,
    /// With what.
    pub rhs: Rhs,
}

/// A field, or a transformer around one.
#[derive(Clone, Debug)]
pub struct Operand {
    /// Which of both.
    pub kind: OperandKind,
    /// Where.
    pub bytes: Bytes,
}

/// What an operand is.
#[derive(Clone, Debug)]
pub enum OperandKind {
    /// A field by its dotted name, with what stood in brackets.
    Field {
        /// The dotted name; a dotted argument such as `evt.arg.flags` is still part of it.
        name: String,
        /// What stood in brackets.
        arg: Option<Value>,
    },
    /// A transformer call.
    Call {
        /// The transformer.
        name: Transformer,
        /// Its arguments.
        args: Vec<CallArg>,
        /// What stood in brackets after it.
        pick: Option<Value>,
    },
}

/// An argument of a transformer.
#[derive(Clone, Debug)]
pub enum CallArg {
    /// A field or another call.
    Operand(Operand),
    /// A quoted constant.
    Constant(Value),
    /// A list in parentheses.
    List(Vec<CallArg>),
}

/// What stands to the right of an operator.
#[derive(Clone, Debug)]
pub enum Rhs {
    /// Nothing: `exists`.
    None,
    /// One constant.
    Value(Value),
    /// Constants in parentheses.
    List(Vec<Value>),
    /// `val(field)`.
    Field(Operand),
    /// A transformer call.
    Call(Operand),
}

/// A constant as written.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its bytes, escapes resolved.
    pub bytes: Vec<u8>,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// Where, quotes included.
    pub at: Bytes,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* #[doc = concat!("`", $word, "`")] $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How it is written.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one that is written so.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// The operators; `==` is read as `=`.
    Op {
        Eq = "=",
        Ne = "!=",
        Lt = "<",
        Le = "<=",
        Gt = ">",
        Ge = ">=",
        Contains = "contains",
        Icontains = "icontains",
        Bcontains = "bcontains",
        Startswith = "startswith",
        Bstartswith = "bstartswith",
        Endswith = "endswith",
        Glob = "glob",
        Iglob = "iglob",
        Regex = "regex",
        In = "in",
        Intersects = "intersects",
        Pmatch = "pmatch",
        Exists = "exists",
    }
}

words! {
    /// How many elements of a list must satisfy an operator.
    Modifier {
        Oneof = "oneof",
        Anyof = "anyof",
        Allof = "allof",
    }
}

words! {
    /// The transformers.
    Transformer {
        Tolower = "tolower",
        Toupper = "toupper",
        B64 = "b64",
        Basename = "basename",
        Len = "len",
        Join = "join",
        Concat = "concat",
        Getopt = "getopt",
    }
}

impl Op {
    /// Whether it compares with a list.
    pub fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::Intersects | Self::Pmatch)
    }

    /// Whether its right side must look like a number.
    pub fn takes_number(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

impl Transformer {
    /// Whether it takes a list of arguments rather than one.
    pub fn takes_list(self) -> bool {
        matches!(self, Self::Join | Self::Concat | Self::Getopt)
    }
}

impl Ast {
    /// Adds a node; its children must be in the tree already.
    pub fn push(&mut self, kind: NodeKind, bytes: Bytes) -> NodeId {
        self.nodes.push(Node { kind, bytes });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Takes a node back whose fault was seen only behind it.
    pub(super) fn spoil(&mut self, id: NodeId) {
        self.nodes[id.0 as usize].kind = NodeKind::Broken;
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// All nodes, children before parents; the last one is the root.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, node)| (NodeId(i as u32), node))
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The root, unless the tree is empty.
    pub fn root(&self) -> Option<NodeId> {
        self.nodes.len().checked_sub(1).map(|i| NodeId(i as u32))
    }

    /// The names of the macros it uses, with their ranges.
    pub fn macros(&self) -> impl Iterator<Item = (&str, Bytes)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Macro(name) => Some((name.as_str(), node.bytes.clone())),
            _ => None,
        })
    }
}
