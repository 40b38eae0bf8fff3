//! The programs, a file a family, over what they share: reading kernel memory (`read`), maps and sending (`ring`),
//! what a task tells of itself (`task`), and paths (`walk`).

mod call;
mod connect;
mod dispatch;
mod exec;
mod failed;
mod life;
mod open;
mod read;
mod ring;
mod socket;
mod task;
mod walk;
