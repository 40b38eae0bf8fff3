//! The room `event`: the vocabulary that every other room speaks.
//!
//! Plain values: fields and their table, values, event types, processes, events, alerts, losses, and the two doors
//! through which the outside comes in, [`Source`] (records) and [`Host`] (facts about the machine). Nothing here
//! does I/O, reads a clock or starts a thread.

pub mod alert;
pub mod batch;
pub mod call;
mod call_flags;
mod call_params;
mod call_special;
mod constant;
mod environment;
pub mod event;
mod event_names;
pub mod event_type;
mod fd_fields;
pub mod field;
mod field_table;
pub mod fields;
mod form;
pub mod host;
pub mod interest;
pub mod loss;
pub mod names;
pub mod param_lists;
mod param_types;
pub mod params;
pub mod path;
pub mod process;
mod process_fields;
pub mod process_table;
mod raw_params;
mod render;
pub mod socket;
pub mod source;
pub mod symbol;
pub mod text;
pub mod time;
pub mod value;

pub use alert::{Alert, AlertId, OutputValue, Priority, RulesetHash};
pub use batch::RawBatch;
pub use environment::Variables;
pub use event::Event;
pub use event_type::{EventSet, EventType};
pub use field::{Arg, ArgKind, FieldFlags, FieldId, FieldInfo, FieldRef, FieldType, Provision, Shape};
pub use fields::Fields;
pub use host::{Host, Lookup, Whose};
pub use interest::{Among, Domains, Interest, OpenWant, Opening, Opens, Outcome, PathTest, Ways};
pub use loss::{BlindRules, Loss, LossCause, LossMaker, Lost, LostBy};
pub use names::{Names, User};
pub use param_types::{Comparable, Radix};
pub use params::ParamId;
pub use process::{Process, ProcessKey};
pub use process_table::ProcessTable;
pub use source::{Fill, HookState, HookStatus, Source, SourceError, SourceInfo, SourceKind};
pub use time::{BootTime, WallTime};
pub use value::{IpNet, Value};
