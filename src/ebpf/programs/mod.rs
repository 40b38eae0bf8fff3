//! The programs, a file a family, over what they share: reading kernel memory (`read`), maps and sending (`ring`),
//! what a task tells of itself (`task`), paths (`walk`), and which openings are wanted (`filter`).

mod args;
mod call;
mod connect;
mod dispatch;
mod environment;
mod exec;
mod failed;
mod filter;
mod life;
mod open;
mod read;
mod ring;
mod socket;
mod task;
mod uring;
mod walk;
