//! What can keep the sensor from starting, each with what to do about it.

use crate::btf::BtfError;

/// Why the sensor cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A capability is missing.
    #[error("watching the kernel needs {missing}: run eyas as root, or give it those capabilities")]
    Privilege {
        /// The missing capabilities by name.
        missing: String,
    },
    /// The kernel does not describe itself.
    #[error(
        "cannot read /sys/kernel/btf/vmlinux ({0}): the kernel must be built with CONFIG_DEBUG_INFO_BTF, and /sys \
         mounted"
    )]
    NoBtf(std::io::Error),
    /// The kernel's description of itself makes no sense.
    #[error("/sys/kernel/btf/vmlinux cannot be understood: {0}")]
    BadBtf(#[from] BtfError),
    /// The kernel has no such member in its structs.
    #[error(
        "this kernel has no {0}, which the programs read: it is older or newer than they know, please report it with \
         the output of `uname -r`"
    )]
    NoMember(&'static str),
    /// The ring's size is not one that the kernel takes.
    #[error("a ring of {0} bytes is not possible: it must be a power of two, from 65536 to 1073741824")]
    RingSize(u32),
    /// The object or its maps could not be loaded.
    #[error("cannot load the kernel programs: {0}")]
    Load(String),
    /// Not one hook could be attached.
    #[error("the kernel accepts none of the hooks; {name}: {reason}")]
    NoHook {
        /// The first of them.
        name: &'static str,
        /// Why it is off.
        reason: String,
    },
    /// Nothing that waits for the ring could be made.
    #[error("cannot wait for the ring: {0}")]
    Wait(std::io::Error),
    /// The sensor's own identity could not be found out.
    #[error("cannot find out the sensor's own pid namespace: {0}")]
    Identity(std::io::Error),
}

/// An error with all its causes on one line, and of a verifier log the last line only.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let words = error.to_string();
        let words = match words.split_once("Verifier output:") {
            Some((before, log)) => {
                // What comes behind the reason are figures.
                let figures = ["processed", "stack depth", "verification time"];
                let is_reason = |line: &&str| {
                    !line.trim().is_empty() && !figures.iter().any(|figure| line.starts_with(figure))
                };
                let last = log.lines().rev().find(is_reason);
                format!(
                    "{}{}",
                    before.trim_end(),
                    last.map(|line| format!(" {}", line.trim())).unwrap_or_default()
                )
            }
            None => words,
        };
        if !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Told {
        words: &'static str,
        source: Option<Box<Told>>,
    }

    #[test]
    fn of_a_verifier_log_the_line_that_says_why_is_left() {
        let log = "BPF_PROG_LOAD returned EACCES. Verifier output: 0: R1=ctx()\n1: (79) r1 = *(u64 *)(r1 +900)\n\
                   invalid bpf_context access off=900\nverification time 9 usec\nstack depth 408+0\nprocessed 2 insns (limit 1000000)\n\n";
        let error = Told { words: log, source: Some(Box::new(Told { words: "EACCES", source: None })) };
        assert_eq!(one_line(&error), "BPF_PROG_LOAD returned EACCES. invalid bpf_context access off=900");
    }

    #[test]
    fn causes_follow_what_they_caused() {
        let cause = Told { words: "no such file", source: None };
        let error = Told { words: "cannot load", source: Some(Box::new(cause)) };
        assert_eq!(one_line(&error), "cannot load: no such file");
    }
}
