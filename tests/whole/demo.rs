//! The recorded incident that ships: it shows what it should to a user without any rights, and holds nothing of the machine
//! on which it was made.

use std::os::unix::process::CommandExt;
use std::path::Path;

use sqlx::Row;

use crate::support::{Database, NOBODY, Place, eyas, run};

/// The recording as it is in the repository, decompressed.
pub(crate) fn recording() -> Vec<u8> {
    let packed = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/demo/incident.db.zst"));
    zstd::decode_all(&packed[..]).unwrap()
}

#[test]
fn nobody_sees_the_incident_without_a_home() {
    let place = Place::new();
    // The build directory may be closed to others.
    let program = place.path("eyas");
    std::fs::copy(env!("CARGO_BIN_EXE_eyas"), &program).unwrap();
    let mut demo = std::process::Command::new(&program);
    demo.args(["demo", "--headless", "--speed", "1000"]).env_clear().current_dir("/");
    if rustix::process::geteuid().is_root() {
        demo.uid(NOBODY).gid(NOBODY);
    } else {
        println!("not root: the demo runs as this user and not as nobody");
    }
    let ran = run(&mut demo).ended(0);
    let alerts = ran.out().lines().count();
    println!("{alerts} alerts");
    assert!(alerts >= 6, "{}", ran.out());
    for act in [
        "Shell started by a network service",
        "Download tool writes to a temporary directory",
        "Program run from a temporary directory",
        "Sensitive file read by an unexpected program",
    ] {
        assert!(ran.out().contains(act), "{act} is missing in:\n{}", ran.out());
    }
    // The same every time: a recording and rules decide all of it.
    let mut twice = eyas();
    twice.args(["demo", "--headless", "--speed", "100000", "-o", "json_output=true"]);
    assert_eq!(run(&mut twice).ended(0).out(), run(&mut twice).ended(0).out());
}

#[test]
fn the_recording_holds_nothing_of_the_machine_that_made_it() {
    let bytes = recording();
    let place = Place::new();
    let file = place.path("incident.db");
    std::fs::write(&file, &bytes).unwrap();
    // Pages of the file, then what is compressed inside it, then everything decoded as eyas tells it.
    let mut haystacks = vec![("the file".to_owned(), bytes)];
    let mut database = Database::open(&file);
    for row in database.rows("SELECT segment, data FROM segment_data") {
        let raw = zstd::decode_all(row.get::<&[u8], _>(1)).unwrap();
        haystacks.push((format!("segment {}", row.get::<i64, _>(0)), raw));
    }
    assert!(haystacks.len() > 1, "there is a recording in it");
    let told = run(eyas().arg("events").arg(&file).arg("--json")).ended(0).0.stdout;
    // What root's home is where nothing is known of it, on every machine.
    let told = String::from_utf8_lossy(&told).replace(r#""user.homedir":"/root""#, "");
    haystacks.push(("the events".to_owned(), told.into_bytes()));

    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let home = std::env::var("HOME").unwrap_or_default();
    let checkout = env!("CARGO_MANIFEST_DIR");
    let workplace = Path::new(checkout).parent().map_or(String::new(), |p| p.display().to_string());
    let secrets = [
        host.as_str(),
        &home,
        checkout,
        &workplace,
        "/tmp/tmp.",
        "/.cargo/",
        "/.rustup/",
        "CARGO_",
        "LD_LIBRARY_PATH",
    ];
    // The incident itself happens in /tmp, which every machine has; a checkout right below it tells nothing.
    let told = |secret: &&&str| secret.len() > 1 && **secret != "/tmp";
    for (what, hay) in &haystacks {
        for secret in secrets.iter().filter(told) {
            assert!(!holds_word(hay, secret.as_bytes()), "{what} holds `{secret}`");
        }
    }
    println!(
        "searched {} places, {} bytes",
        haystacks.len(),
        haystacks.iter().map(|(_, h)| h.len()).sum::<usize>()
    );
    // The search finds what is there.
    assert!(haystacks.iter().any(|(_, hay)| holds_word(hay, b"/etc/shadow")));
    assert!(
        holds_word(b"a vm.x", b"vm") && !holds_word(b"svm", b"vm") && holds_word(b"my-devhost-7", b"devhost")
    );
}

/// Whether the bytes hold a text; a text of three characters or fewer counts as a whole word only.
fn holds_word(hay: &[u8], word: &[u8]) -> bool {
    let inside = |at: usize| hay.get(at).is_some_and(u8::is_ascii_alphanumeric);
    hay.windows(word.len())
        .enumerate()
        .filter(|(_, w)| *w == word)
        .any(|(at, _)| word.len() > 3 || !(at.checked_sub(1).is_some_and(inside) || inside(at + word.len())))
}
