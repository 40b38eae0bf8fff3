//! A rule for containers alone: what happens on the host is left out by the kernel half, and what happens in a container is not.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::support::{Agent, PATIENCE, Place, field, has_sensor, wait_for};

/// A container's id, as runtimes make them.
const ID: &str = "e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5";

/// A control group of this test's own.
struct Group(PathBuf);

impl Group {
    /// Below the root of the v2 hierarchy; `None` where there is none, or where it may not be made.
    fn make(name: &str) -> Option<Self> {
        Self::below(|kind, _| kind == "cgroup2", name)
    }

    /// The same in the v1 hierarchy that counts pids.
    fn make_v1(name: &str) -> Option<Self> {
        Self::below(|kind, options| kind == "cgroup" && options.split(',').any(|o| o == "pids"), name)
    }

    fn below(is_it: impl Fn(&str, &str) -> bool, name: &str) -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let hierarchy = mounts
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            .find(|line| is_it(line[2], line[3]))?;
        let group = Path::new(hierarchy[1]).join(name);
        // A run that was killed may have left it.
        match std::fs::create_dir(&group) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => None,
            _ => Some(Self(group)),
        }
    }

    /// Programs that enter it, and end at once.
    fn run(&self, programs: usize) {
        let one = format!("echo $$ > {}/cgroup.procs && exec /bin/true", self.0.display());
        let all = format!("for n in $(seq {programs}); do sh -c '{one}' || exit 1; done");
        assert!(Command::new("sh").arg("-c").arg(all).status().unwrap().success());
    }

    /// A program that enters it, and stays.
    fn stay(&self) -> Stays {
        let script = format!("echo $$ > {}/cgroup.procs && exec sleep 60", self.0.display());
        Stays(Command::new("sh").arg("-c").arg(script).spawn().unwrap())
    }

    /// A shell in it makes a descriptor out of another.
    fn redirect(&self) {
        let script = format!("echo $$ > {}/cgroup.procs && exec sh -c 'exec 9>&1'", self.0.display());
        assert!(Command::new("sh").arg("-c").arg(script).status().unwrap().success());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The shells have ended, so it is empty.
        let _gone = std::fs::remove_dir(&self.0);
    }
}

/// A program that runs until it is dropped, also by a test that fails.
struct Stays(Child);

impl Drop for Stays {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// Watches by one rule, for what holds in a container.
fn watch_containers(place: &Place, condition: &str) -> Agent {
    let rules = place.write(
        "rules.yaml",
        &format!(
            "- rule: Contained\n  desc: d\n  priority: WARNING\n  \
             condition: container.id != host and {condition}\n  output: in %container.id\n"
        ),
    );
    place.watch(["-r".as_ref(), rules.as_os_str()])
}

#[test]
fn a_rule_for_containers_sees_them_and_not_the_host() {
    if !has_sensor("a rule for containers") {
        return;
    }
    let own = std::process::id();
    let groups = (Group::make(&format!("eyas-test-{own}")), Group::make(&format!("docker-{ID}.scope")));
    let (Some(host), Some(container)) = groups else {
        println!("skipped: no control group can be made here");
        return;
    };
    let place = Place::new();
    let agent = watch_containers(&place, "evt.type in (dup, dup2, dup3) and proc.name = sh");
    host.redirect();
    host.redirect();
    let (alert, _) = agent.alert_on("a redirection", || container.redirect(), |a| a["rule"] == "Contained");
    assert_eq!(field(&alert, "container.id"), ID[..12]);
    // Those that came after the first, too.
    container.redirect();
    for line in agent.printed() {
        assert!(line.text.contains(&ID[..12]), "{}", line.text);
    }
    println!("{}", agent.stop().last_words());
}

/// What a v1 hierarchy says of a container is kept for all who are in it: nobody has to be asked who is gone already.
#[test]
fn a_container_of_a_v1_hierarchy_is_known_of_programs_that_end_at_once() {
    if !has_sensor("a container of a v1 hierarchy") {
        return;
    }
    let Some(container) = Group::make_v1(&format!("docker-{ID}.scope")) else {
        println!("skipped: no v1 hierarchy counts pids here, or no control group can be made in it");
        return;
    };
    let place = Place::new();
    let agent = watch_containers(&place, "evt.type = execve and proc.name in (true, sleep)");
    let host = || assert!(Command::new("/bin/true").status().unwrap().success());
    host();
    let stays = container.stay();
    let alerts = || agent.printed().iter().filter(|line| line.text.contains("\"Contained\"")).count();
    let come = |number: usize| wait_for("alerts", PATIENCE, || (alerts() >= number).then_some(()));
    come(1);
    container.run(100);
    (0..20).for_each(|_| host());
    come(101);
    drop(stays);
    let words = agent.stop().last_words().to_owned();
    assert!(words.contains(" 101 alerts"), "{words}");
    println!("{words}");
}
