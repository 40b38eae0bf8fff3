//! Kernels from Debian's archive. Packages are downloaded and unpacked, never installed: apt works with sources, lists and
//! a cache of its own below `target/kernels`, and takes the mirror from the machine's sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Machine;
use crate::{output, run};

/// Debian's kernels for guests of clouds: the same sources and the same options for BPF and tracing as others, fewer drivers.
const FLAVOUR: &str = "-cloud-";
/// Suites with kernels, and where their security updates are.
const SUITES: [(&str, &str); 7] = [
    ("debian", "bullseye"),
    ("debian-security", "bullseye-security"),
    ("debian", "bookworm"),
    ("debian-security", "bookworm-security"),
    ("debian", "trixie"),
    ("debian-security", "trixie-security"),
    ("debian", "trixie-backports"),
];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Debian's archive, as apt sees it through a configuration of its own.
pub(super) struct Archive {
    dir: PathBuf,
    /// Debian's word for the machine.
    machine: &'static str,
    packages: Vec<String>,
}

/// A kernel that was unpacked.
pub(super) struct Kernel {
    pub(super) release: String,
    pub(super) package: String,
    pub(super) image: PathBuf,
}

impl Archive {
    /// Reads the lists of packages.
    pub(super) fn open(work: &Path, machine: &Machine) -> Result<Self> {
        let machine = machine.debian;
        let dir = work.join(format!("apt-{machine}"));
        for part in ["lists/partial", "cache/archives/partial", "state", "debs"] {
            fs::create_dir_all(dir.join(part)).with_context(|| format!("cannot make {part} for apt"))?;
        }
        fs::write(dir.join("sources.list"), sources(machine)).context("cannot write apt's sources")?;
        let mut archive = Self { dir, machine, packages: Vec::new() };
        run(archive.apt("apt-get").args(["-qq", "update"]))?;
        let names = output(archive.apt("apt-cache").args(["pkgnames", "linux-"]))?;
        archive.packages = names.lines().map(str::to_owned).collect();
        Ok(archive)
    }

    fn apt(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        let mut set = |key: &str, value: &Path| {
            let mut option = std::ffi::OsString::from(format!("-o{key}="));
            option.push(value);
            apt.arg(option);
        };
        set("Dir::Etc::sourcelist", &self.dir.join("sources.list"));
        set("Dir::Etc::sourceparts", Path::new("/dev/null"));
        set("Dir::State", &self.dir.join("state"));
        set("Dir::State::lists", &self.dir.join("lists"));
        set("Dir::Cache", &self.dir.join("cache"));
        set("APT::Architecture", Path::new(self.machine));
        set("APT::Architectures::", Path::new(self.machine));
        // The files are read by nobody else, and the user that apt would otherwise become cannot write here.
        set("APT::Sandbox::User", Path::new("root"));
        set("Acquire::Languages", Path::new("none"));
        set("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", Path::new("false"));
        apt
    }

    /// The newest kernel of a series, or of all; downloaded unless it was before.
    pub(super) fn kernel(&self, series: &str) -> Result<Kernel> {
        let Some(release) = newest(&self.packages, self.machine, series) else {
            bail!("Debian's archive has no kernel of the series {series}")
        };
        // Newer ones have the kernel itself in a package of its own.
        let named =
            |prefix: &str| Some(format!("{prefix}{release}")).filter(|name| self.packages.contains(name));
        let package =
            named("linux-binary-").or_else(|| named("linux-image-")).context("the name is from the list")?;
        let unpacked = self.dir.join("debs").join(&package);
        if find_image(&unpacked).is_none() {
            fs::create_dir_all(&unpacked).context("no directory for the package")?;
            run(self.apt("apt-get").current_dir(&unpacked).args(["-q", "download", &package]))?;
            for deb in fs::read_dir(&unpacked)?.flatten().map(|entry| entry.path()) {
                if deb.extension().is_some_and(|ending| ending == "deb") {
                    unpack(&deb, &unpacked)?;
                    fs::remove_file(&deb).context("the package stays")?;
                }
            }
        }
        let image = find_image(&unpacked).with_context(|| format!("{package} has no vmlinuz"))?;
        Ok(Kernel { release, package, image })
    }
}

/// Unpacks the kernel and nothing else: its modules are not needed.
fn unpack(deb: &Path, into: &Path) -> Result<()> {
    let mut tar = Command::new("dpkg-deb");
    let files = tar.arg("--fsys-tarfile").arg(deb).stdout(std::process::Stdio::piped()).spawn();
    let mut files = files.context("cannot run dpkg-deb")?;
    let from = files.stdout.take().context("dpkg-deb has an output")?;
    run(Command::new("tar").stdin(from).arg("-xC").arg(into).args(["--wildcards", "*/vmlinuz*"]))?;
    files.wait().context("dpkg-deb did not end")?;
    Ok(())
}

/// The first file below whose name begins like a kernel's.
fn find_image(dir: &Path) -> Option<PathBuf> {
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if entry.file_name().to_string_lossy().starts_with("vmlinuz") {
                return Some(path);
            }
        }
    }
    None
}

fn sources(machine: &str) -> String {
    let mirror = |archive: &str| format!("http://deb.debian.org/{archive}");
    let line = |(archive, suite): &(&str, &str)| {
        format!("deb [arch={machine} signed-by={KEYRING}] {} {suite} main\n", mirror(archive))
    };
    SUITES.iter().map(line).collect()
}

/// The release of the newest kernel of a series among the names of packages; `newest` is any series.
fn newest(packages: &[String], machine: &str, series: &str) -> Option<String> {
    let releases = packages.iter().filter_map(|name| release(name, machine));
    let wanted = releases.filter(|release| {
        series == "newest"
            || release.strip_prefix(series).is_some_and(|rest| rest.starts_with(['.', '+', '-']))
    });
    wanted.max_by_key(|release| numbers(release)).map(str::to_owned)
}

/// The release that a package is of, if it is a kernel of the flavour that is made for its own Debian release, and signed.
fn release<'p>(package: &'p str, machine: &str) -> Option<&'p str> {
    let release = package.strip_prefix("linux-binary-").or_else(|| package.strip_prefix("linux-image-"))?;
    let own = release.strip_suffix(machine).is_some_and(|rest| rest.ends_with(FLAVOUR))
        && !release.contains(".deb1");
    (own && release.starts_with(|first: char| first.is_ascii_digit())
        && release.split('-').next()?.split('.').count() > 2)
        .then_some(release)
}

/// A version in the order of its numbers.
fn numbers(release: &str) -> Vec<u64> {
    release.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_series_is_told_by_its_numbers() {
        let packages: Vec<String> = [
            "linux-image-6.1-cloud-amd64",
            "linux-image-6.1.0-9-cloud-amd64",
            "linux-image-6.1.0-56-cloud-amd64",
            "linux-image-6.1.0-56-cloud-amd64-unsigned",
            "linux-image-6.1.0-57-amd64",
            "linux-image-6.1.0-0.deb11.99-cloud-amd64",
            "linux-image-6.12.95+deb12-cloud-amd64",
            "linux-image-6.12.117+deb13-cloud-amd64",
            "linux-image-7.3.4+deb13-cloud-amd64",
            "linux-binary-7.3.4+deb13-cloud-amd64",
            "linux-binary-unsigned-7.3.5+deb13-cloud-amd64",
            "linux-headers-7.4.0+deb13-cloud-amd64",
        ]
        .map(str::to_owned)
        .to_vec();
        let newest = |series| newest(&packages, "amd64", series);
        assert_eq!(newest("6.1").as_deref(), Some("6.1.0-56-cloud-amd64"));
        assert_eq!(newest("6.12").as_deref(), Some("6.12.117+deb13-cloud-amd64"));
        assert_eq!(newest("newest").as_deref(), Some("7.3.4+deb13-cloud-amd64"));
        assert_eq!(newest("5.10"), None);
    }

    #[test]
    fn every_suite_is_checked_by_the_archives_key() {
        assert_eq!(sources("arm64").lines().count(), SUITES.len());
        assert!(sources("arm64").lines().all(|line| line.contains("signed-by=")));
    }
}
