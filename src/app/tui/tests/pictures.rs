//! Pictures of screens: a world, a size and keys give a text that a person has looked at once.

use super::*;

fn check(name: &str, size: (u16, u16), world: World, keys: &str) {
    let mut stage = Stage::new(size.0, size.1, world);
    stage.keys(keys);
    insta::assert_snapshot!(name, stage.screen());
}

#[test]
fn pictures_of_the_list() {
    check("list_80x24", (80, 24), told(), "");
    check("list_120x40", (120, 40), told(), "");
    check("list_40x12", (40, 12), told(), "");
    check("list_dense_120x40", (120, 40), told(), "D k k");
}

#[test]
fn pictures_of_the_details() {
    check("detail_80x24", (80, 24), told(), "k k k k k k Enter");
    check("detail_120x40", (120, 40), told(), "k k k k k k Enter");
    check("detail_40x12", (40, 12), told(), "k k k k k k Enter");
    check("detail_zoomed_80x24", (80, 24), told(), "k k k k k k Enter Z");
    check("detail_rule_120x40", (120, 40), told(), "Enter G");
}

#[test]
fn pictures_of_what_lies_over_it() {
    check("help_80x24", (80, 24), told(), "? 'filter'");
    check("palette_80x24", (80, 24), told(), ": 'th'");
    check("palette_120x40", (120, 40), told(), ":");
    check("hooks_80x24", (80, 24), told(), "S");
    check("filter_wrong_80x24", (80, 24), told(), "f 'proc.name = curl and porc.name = sh'");
    check("filter_good_80x24", (80, 24), told(), "f 'proc.name = curl and user'");
    check("filter_applied_80x24", (80, 24), told(), "f 'proc.name = curl' Enter");
    check("filter_none_80x24", (80, 24), told(), "f 'proc.name = nope' Enter");
    check("search_80x24", (80, 24), told(), "/ 'shadow'");
    check("filter_wrong_40x12", (40, 12), told(), "f 'proc.name = curl and porc.name = sh'");
    check("help_40x12", (40, 12), told(), "?");
}

#[test]
fn pictures_of_nothing() {
    check("empty_80x24", (80, 24), World::default(), "");
    for (name, sensor, rules) in [
        ("empty_off_80x24", Sensor::Off("not started as root".into()), 14),
        ("empty_degraded_80x24", Sensor::Degraded("1 of 3 hooks is off".into()), 14),
        ("empty_no_rules_80x24", Sensor::On, 0),
    ] {
        let stage = Stage::with_pulse(80, 24, World::default(), Pulse { sensor, rules, ..pulse(0) });
        insta::assert_snapshot!(name, stage.screen());
    }
}

#[test]
fn a_store_that_wrote_no_loss_down_is_not_taken_for_one_that_lost_nothing() {
    let mut stage = Stage::with_pulse(80, 24, told(), Pulse { lost: 7, ..pulse(11) });
    stage.keys("L");
    stage.shows("7  events missed");
    stage.shows("It has not taken any of this down yet.");
    let mut stage = Stage::new(80, 24, told());
    stage.keys("L");
    stage.shows("● Nothing was lost, as far as this store knows.");
}

#[test]
fn pictures_of_trouble() {
    let mut world = told();
    world.gaps.push(Gap {
        from: WallTime(world::BEGIN + 45_000_000_000),
        to: WallTime(world::BEGIN + 52_000_000_000),
        what: Missing::Events,
        count: 1_204,
        why: "kernel ring full".to_owned(),
        more: Vec::new(),
    });
    let mut worse = world.clone();
    let reload = Reload {
        at: WallTime(world::BEGIN),
        text: "error[E0203]: there is no field `porc.name`\n --> rules/mine.yaml:12:9\n12 |   porc.name = sh\n   |   ^^^^^^^^^\nwarning: unused macro".to_owned(),
        errors: 1,
        warnings: 1,
        lints: 0,
        rules: 14,
        unread: None,
        applied: false,
    };
    let bad = Pulse {
        lost: 1_204,
        store_lag: Duration::from_millis(2_300),
        reload: Some(Arc::new(reload)),
        ..pulse(11)
    };
    let mut stage = Stage::with_pulse(120, 40, world, pulse(11));
    stage.send(Msg::Pulse(Arc::new(bad)));
    stage.tick(1_000);
    insta::assert_snapshot!("loss_120x40", stage.screen());
    stage.keys("R");
    insta::assert_snapshot!("reload_120x40", stage.screen());

    for (from, what, count, why) in [
        (60, Missing::Alerts, 2_470, "queue full"),
        (61, Missing::Recording, 90, "recording size limit"),
        (20, Missing::Events, 0, "eyas was not running"),
    ] {
        let at = |s: u64| WallTime(world::BEGIN + s * 1_000_000_000);
        let more = Vec::new();
        worse.gaps.push(Gap { from: at(from), to: at(from + 3), what, count, why: why.to_owned(), more });
    }
    let store = StoreState {
        error: Some("error returned from database: (code: 13) database or disk is full".to_owned()),
        failing: true,
        alerts_not_stored: 2_470,
        alerts_spilled: 9_000,
        spill_bytes: 3_145_728,
        ..StoreState::default()
    };
    let full = Pulse { lost: 1_204, store, ..pulse(11) };
    for (name, keys, size) in [
        ("store_full_120x40", "", (120, 40)),
        ("store_full_80x24", "", (80, 24)),
        ("store_full_40x12", "", (40, 12)),
        ("store_full_hooks_80x24", "S", (80, 24)),
        ("losses_120x40", ": 'losses' Enter", (120, 40)),
        ("losses_80x24", "L", (80, 24)),
    ] {
        let mut stage = Stage::with_pulse(size.0, size.1, worse.clone(), full.clone());
        stage.keys(keys);
        insta::assert_snapshot!(name, stage.screen());
    }
}
