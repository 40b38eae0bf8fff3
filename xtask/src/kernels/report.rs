//! What a guest reported, taken apart, and the table of all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// What one step said.
#[derive(Debug, Default)]
pub(super) struct Step {
    out: String,
    err: String,
    /// How it ended, and after how many milliseconds; nothing when the guest ended first.
    end: Option<(i32, u64)>,
}

/// All steps by name.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: BTreeMap<String, Step>,
}

impl Report {
    /// Takes the lines of `xtask/guest/main.rs` apart; what is no such line is left out.
    pub(super) fn parse(said: &str) -> Self {
        let mut report = Self::default();
        for line in said.lines() {
            let Some(at) = line.find(['<', '!', '=']) else { continue };
            let (name, rest) = line.split_at(at);
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
                continue;
            }
            let (mark, words) = rest.split_at(1);
            let words = words.strip_prefix(' ').unwrap_or(words).trim_end_matches('\r');
            let step = report.steps.entry(name.to_owned()).or_default();
            match mark {
                "<" => step.out.extend([words, "\n"]),
                "!" => step.err.extend([words, "\n"]),
                _ => {
                    let mut numbers = words.split(' ');
                    let code = numbers.next().and_then(|code| code.parse().ok());
                    step.end = code.zip(numbers.next().and_then(|ms| ms.parse().ok()));
                }
            }
        }
        report
    }

    fn step(&self, name: &str) -> Option<&Step> {
        self.steps.get(name)
    }

    fn json(&self, name: &str) -> Value {
        self.step(name).and_then(|step| serde_json::from_str(step.out.trim()).ok()).unwrap_or(Value::Null)
    }
}

/// One line of the table, and what to say beside it.
#[derive(Debug, Default)]
pub(super) struct Row {
    kernel: String,
    cells: [String; 6],
    details: String,
    works: bool,
}

const HEADINGS: [&str; 7] = [
    "kernel",
    "hooks on",
    "reads, and what it lacks",
    "actions, shipped rules",
    "actions, stock rules",
    "live tests",
    "ready after",
];

impl Row {
    /// A kernel that could not be had or did not come up.
    pub(super) fn not_had(kernel: &str, why: &str) -> Self {
        let cells =
            [why.to_owned(), String::new(), String::new(), String::new(), String::new(), String::new()];
        Self { kernel: kernel.into(), cells, details: why.into(), works: false }
    }

    /// One that reported.
    pub(super) fn of(kernel: &str, accelerator: &str, report: &Report) -> Self {
        let doctor = report.json("doctor");
        let mut details = String::new();
        let hooks = hooks(&doctor, &mut details);
        let shipped = actions(&report.json("shipped"), &mut details);
        let stock = report.step("stock").map(|_| actions(&report.json("stock"), &mut details));
        let live = report.step("live").map_or(Some((0, 0)), |step| tests(step, &mut details));
        let ready = report.step("start").and_then(|step| step.end);
        for (name, step) in &report.steps {
            if step.end.is_none() && name != "guest" {
                let _ = writeln!(details, "{name} did not end");
            }
            for line in step.err.lines().filter(|_| name != "live") {
                let _ = writeln!(details, "{name}: {line}");
            }
        }
        let all = |count: Option<(usize, usize)>| count.is_some_and(|(good, of)| good == of && of > 0);
        let works = all(hooks) && all(shipped);
        let of = |count: Option<(usize, usize)>| {
            count.map_or_else(|| "–".to_owned(), |(good, of)| format!("{good} of {of}"))
        };
        let cells = [
            of(hooks),
            reads(&doctor),
            of(shipped),
            of(stock.flatten()),
            of(live.filter(|(_, of)| *of > 0)),
            ready.map_or_else(|| "–".to_owned(), |(_, ms)| format!("{ms} ms ({accelerator})")),
        ];
        Self { kernel: kernel.into(), cells, details, works }
    }

    pub(super) fn name(&self) -> &str {
        &self.kernel
    }

    pub(super) fn details(&self) -> &str {
        self.details.trim_end()
    }

    /// Whether this is a kernel for which all has to work.
    pub(super) fn must_work(&self) -> bool {
        ["6.1.", "6.12."].iter().any(|series| self.kernel.starts_with(series))
    }

    /// Whether every hook is on and every basic action was seen.
    pub(super) fn works(&self) -> bool {
        self.works
    }
}

/// How many hooks are on, of how many; why one is off goes to the details.
fn hooks(doctor: &Value, details: &mut String) -> Option<(usize, usize)> {
    let hooks = doctor["sensor"]["hooks"].as_array()?;
    for hook in hooks.iter().filter(|hook| hook["state"] != "on") {
        let _ = writeln!(
            details,
            "{} is {}: {}",
            words(&hook["name"]),
            words(&hook["state"]),
            words(&hook["why"])
        );
    }
    Some((hooks.iter().filter(|hook| hook["state"] == "on").count(), hooks.len()))
}

/// How the programs read the kernel's memory, and what they do without.
fn reads(doctor: &Value) -> String {
    let sensor = &doctor["sensor"];
    let lacks = sensor["lacks"].as_array().into_iter().flatten().map(|lack| words(&lack["name"]));
    std::iter::once(words(&sensor["reads"])).chain(lacks).collect::<Vec<_>>().join("; no ")
}

/// How many of the actions that were tried, and that a rule should see, were seen.
fn actions(simulated: &Value, details: &mut String) -> Option<(usize, usize)> {
    let actions = simulated["actions"].as_array()?;
    let verdict = |action: &Value| words(&action["verdict"]).to_owned();
    let tried: Vec<&Value> =
        actions.iter().filter(|action| !["skipped", "no_rule"].contains(&verdict(action).as_str())).collect();
    for action in tried.iter().filter(|action| verdict(action) != "seen") {
        let why = action["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        let _ = writeln!(details, "{} is {}{why}", words(&action["action"]), verdict(action));
    }
    Some((tried.iter().filter(|action| verdict(action) == "seen").count(), tried.len()))
}

/// How many tests passed, of how many; those that failed go to the details, with their last words.
fn tests(step: &Step, details: &mut String) -> Option<(usize, usize)> {
    let ran: Vec<(&str, &str)> =
        step.out.lines().filter_map(|line| line.strip_prefix("test ")?.split_once(" ... ")).collect();
    for (name, _) in ran.iter().filter(|(_, end)| *end == "FAILED") {
        let said = step.out.lines().skip_while(|line| *line != format!("---- {name} stdout ----"));
        let said = said.skip(1).find(|line| !line.trim().is_empty() && !line.contains("panicked at"));
        let _ = writeln!(details, "{name} fails: {}", said.unwrap_or_default());
    }
    (!ran.is_empty()).then(|| (ran.iter().filter(|(_, end)| *end == "ok").count(), ran.len()))
}

fn words(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// The table in Markdown, as it stands in `docs/kernel.md`.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = format!("| {} |\n|{}\n", HEADINGS.join(" | "), " --- |".repeat(HEADINGS.len()));
    for row in rows {
        let _ = writeln!(table, "| {} | {} |", row.kernel, row.cells.join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = concat!(
        "guest= up 6.1.0-56-cloud-amd64\r\n",
        "doctor< {\"sensor\":{\"reads\":\"helper calls\",\"lacks\":[{\"name\":\"bpf_loop\"}],\"hooks\":[\r\n",
        "doctor< {\"name\":\"a\",\"state\":\"on\"},{\"name\":\"b\",\"state\":\"off\",\"why\":\"EPERM\"}]}}\r\n",
        "doctor= 0 900\r\n",
        "start! watching guest\r\n",
        "start= 0 412\r\n",
        "[  9.1] a word of the kernel = 4\r\n",
        "shipped< {\"actions\":[{\"action\":\"A\",\"verdict\":\"seen\"},{\"action\":\"B\",\"verdict\":\"skipped\"},\r\n",
        "shipped< {\"action\":\"C\",\"verdict\":\"failed\",\"why\":\"ENOSYS\"}]}\r\n",
        "shipped= 1 5000\r\n",
        "live< test a::b ... ok\r\n",
        "live< test a::c ... FAILED\r\n",
        "live< ---- a::c stdout ----\r\n",
        "live< \r\n",
        "live< thread 'a::c' panicked at x.rs:1:1:\r\n",
        "live< left is not right\r\n",
    );

    #[test]
    fn a_report_becomes_a_row() {
        let row = Row::of("6.1.0-56-cloud-amd64", "tcg", &Report::parse(SAID));
        assert_eq!(
            row.cells,
            ["1 of 2", "helper calls; no bpf_loop", "1 of 2", "–", "1 of 2", "412 ms (tcg)"]
        );
        assert!(row.must_work() && !row.works());
        for part in
            ["b is off: EPERM", "C is failed: ENOSYS", "a::c fails: left is not right", "live did not end"]
        {
            assert!(row.details().contains(part), "{part}: {}", row.details());
        }
    }

    #[test]
    fn a_guest_that_said_nothing_of_it_does_not_work() {
        let row = Row::of("6.12.1", "kvm", &Report::parse("guest= up 6.12.1\n"));
        assert!(!row.works());
        assert!(table(&[row]).ends_with("| 6.12.1 | – | ? | – | – | – | – |\n"));
    }

    #[test]
    fn only_the_kernels_of_supported_releases_must_work() {
        let must = |kernel| Row::not_had(kernel, "x").must_work();
        assert!(must("6.1.0-1") && must("6.12.9") && !must("5.10.0-46") && !must("6.19.1") && !must("7.3.4"));
    }
}
