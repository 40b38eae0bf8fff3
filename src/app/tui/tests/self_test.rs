//! The self-test's sheet: nothing plays before somebody says so, what is told is shown, and it can be stopped at any time.

use super::*;
use crate::tui::door::{TestAction, TestNews, TestOrder, TestOutcome, TestVerdict};

fn action(name: &str, rule: Option<&str>, obstacle: Option<&str>) -> TestAction {
    TestAction {
        name: name.into(),
        does: format!("Does what {name} says, harmlessly."),
        rule: rule.map(Into::into),
        obstacle: obstacle.map(Into::into),
    }
}

fn listed() -> TestNews {
    TestNews::Listed(vec![
        action("WriteBelowEtc", Some("Configuration below /etc written"), None),
        action("RunShellUntrusted", Some("Shell started by a network service"), None),
        action("CreateHiddenFilesOrDirectories", Some("Hidden name made elsewhere"), Some("its rule is off")),
        action("ReadSensitiveFileUntrusted", Some("Sensitive file read by an unexpected program"), None),
        action("NobodyKnows", None, None),
        action("WriteBelowBinaryDir", Some("Program directory written"), None),
    ])
}

fn ended(name: &str, verdict: TestVerdict, why: Option<&str>, took_ms: Option<u64>) -> Msg {
    let also = if verdict == TestVerdict::Seen { vec!["Another rule".into()] } else { Vec::new() };
    let outcome = TestOutcome { verdict, why: why.map(Into::into), also, took_ms };
    Msg::Test(TestNews::Ended(name.into(), outcome))
}

fn orders(stage: &mut Stage) -> Vec<TestOrder> {
    let taken = std::mem::take(&mut stage.out);
    taken.into_iter().filter_map(|e| if let Effect::Test(order) = e { Some(order) } else { None }).collect()
}

/// Whatever its process may say, in any order and of actions that nobody listed.
pub(super) fn any_news() -> impl Strategy<Value = TestNews> {
    let name = prop_oneof!["WriteBelowEtc", "NobodyKnows", "\\PC{0,90}"];
    prop_oneof![
        3 => Just(listed()),
        1 => Just(TestNews::Over),
        2 => name.clone().prop_map(TestNews::Began),
        2 => (name, "\\PC{0,200}").prop_map(|(name, why)| {
            let outcome =
                TestOutcome { verdict: TestVerdict::Failed, why: Some(why.clone()), also: vec![why], took_ms: None };
            TestNews::Ended(name, outcome)
        }),
        1 => ".{0,90}".prop_map(TestNews::Failed),
    ]
}

/// A run that has come so far.
fn half_way(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, told());
    stage.keys("t");
    stage.send(Msg::Test(listed()));
    stage.keys("a");
    for (name, verdict, why, took) in [
        ("WriteBelowEtc", TestVerdict::Seen, None, Some(48)),
        ("RunShellUntrusted", TestVerdict::Missing, None, None),
        ("CreateHiddenFilesOrDirectories", TestVerdict::Skipped, Some("its rule is off"), None),
        ("ReadSensitiveFileUntrusted", TestVerdict::Failed, Some("permission denied"), None),
    ] {
        stage.send(Msg::Test(TestNews::Began(name.into())));
        stage.send(ended(name, verdict, why, took));
    }
    stage.send(Msg::Test(TestNews::Began("NobodyKnows".into())));
    stage
}

#[test]
fn nothing_plays_before_somebody_says_so() {
    let mut stage = Stage::new(120, 40, told());
    stage.keys("t");
    assert_eq!(orders(&mut stage), [TestOrder::List]);
    stage.shows("Reading the rules…");
    stage.keys("Enter");
    assert_eq!(orders(&mut stage), [], "there is nothing to play yet");
    stage.send(Msg::Test(listed()));
    stage.shows("6 harmless attacks");
    stage.keys("j Enter");
    assert_eq!(orders(&mut stage), [TestOrder::Play("RunShellUntrusted".into())]);
    stage.keys("a");
    assert_eq!(orders(&mut stage), [], "one plays already");
    stage.shows("One plays already: s stops it.");
    stage.send(Msg::Test(TestNews::Began("RunShellUntrusted".into())));
    stage.shows("playing…");
    stage.send(ended("RunShellUntrusted", TestVerdict::Seen, None, Some(51)));
    stage.send(Msg::Test(TestNews::Over));
    stage.shows("1 action played: 1 seen, 0 not seen.");
    stage.shows("seen 51 ms");
    stage.shows("also  Another rule");
    // Closed and opened again it is as it was.
    stage.keys("q t");
    assert_eq!(orders(&mut stage), []);
    stage.shows("1 action played: 1 seen, 0 not seen.");
}

#[test]
fn what_plays_is_stopped_first_and_the_sheet_closed_then() {
    let mut stage = half_way(120, 40);
    orders(&mut stage);
    stage.keys("Esc");
    assert_eq!(orders(&mut stage), [TestOrder::Stop]);
    stage.shows("Stopping. 1 seen, 2 not seen, 1 skipped.");
    stage.send(Msg::Test(TestNews::Over));
    stage.shows("4 actions played: 1 seen, 2 not seen, 1 skipped.");
    assert!(!stage.screen().contains("playing…"));
    stage.keys("Esc");
    assert!(stage.state.layers.is_empty());
    // Closed with q, it goes on.
    let mut stage = half_way(120, 40);
    orders(&mut stage);
    stage.keys("q");
    assert_eq!(orders(&mut stage), []);
    stage.send(ended("NobodyKnows", TestVerdict::NoRule, None, None));
    stage.keys("t");
    stage.shows("5 of 6 played: 1 seen, 2 not seen, 1 without a rule, 1 skipped.");
}

#[test]
fn why_there_is_none_is_said() {
    let mut stage = Stage::new(80, 24, told());
    stage.state.self_test.why_not = Some("A recording is shown.");
    stage.keys("t");
    stage.shows("A recording is shown.");
    assert!(stage.state.layers.is_empty() && orders(&mut stage).is_empty());
    // What could not be listed is asked for again.
    let mut stage = Stage::new(80, 24, told());
    stage.keys("t");
    stage.send(Msg::Test(TestNews::Failed("no eyas is running with x.db".into())));
    stage.shows("It cannot be done: no eyas is running with x.db");
    orders(&mut stage);
    stage.keys("Esc t");
    assert_eq!(orders(&mut stage), [TestOrder::List]);
}

#[test]
fn pictures_of_the_self_test() {
    for (name, width, height) in
        [("self_test_120x40", 120, 40), ("self_test_80x24", 80, 24), ("self_test_40x12", 40, 12)]
    {
        let mut stage = half_way(width, height);
        stage.keys("Up Up Up");
        insta::assert_snapshot!(name, stage.screen());
    }
    // No size is too small.
    for (width, height) in [(1, 1), (3, 3), (10, 4), (20, 6)] {
        half_way(width, height).screen();
    }
}
