//! Builds the kernel programs so that the same sources and the same tools give the same bytes in any directory.
//!
//! The compiler is Debian's (`rustc-web`), because its library sources can be installed beside it; the programs need
//! `core` built for a target that no toolchain ships. How to install both and the linker stands in `docs/kernel.md`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::strip::strip_debug;
use crate::{output, run};

const TARGET: &str = "bpfel-unknown-none";
/// The objects: the one that kernels get, and the one for older kernels, with the feature of `src/ebpf` that it is built with.
const OBJECTS: [(&str, &str); 2] =
    [("src/probe/object/eyas.bpf.o", "kernel"), ("src/probe/object/eyas-older.bpf.o", "kernel,older")];
const BUILT_WITH: &str = "src/probe/object/eyas.bpf.o.built-with";

/// Where an object's hash stands.
fn sha256_of(object: &str) -> String {
    format!("{object}.sha256")
}

/// Builds the objects and writes them, their hashes and their makers where the sensor embeds them from.
pub(crate) fn build(root: &Path) -> Result<()> {
    let tools = Tools::find()?;
    let put = |path: &str, bytes: &[u8]| {
        fs::write(root.join(path), bytes).with_context(|| format!("cannot write {path}"))
    };
    fs::create_dir_all(root.join(BUILT_WITH).parent().context("the objects have a folder")?)?;
    for (path, features) in OBJECTS {
        let object = tools.build(root, &root.join("src/ebpf/target"), features)?;
        put(path, &object)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        put(&sha256_of(path), format!("{}  {name}\n", hash(&object)).as_bytes())?;
        println!("{}  {path} ({} bytes)", hash(&object), object.len());
    }
    put(BUILT_WITH, tools.describe()?.as_bytes())
}

/// Compares the committed objects with their hashes, and with a fresh build where the tools that made them are at hand.
pub(crate) fn check(root: &Path) -> Result<()> {
    for (path, _) in OBJECTS {
        let committed = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        let sha256 = sha256_of(path);
        let noted =
            fs::read_to_string(root.join(&sha256)).with_context(|| format!("cannot read {sha256}"))?;
        let noted = noted.split_whitespace().next().unwrap_or_default();
        ensure!(
            noted == hash(&committed),
            "{path} has the hash {}, and {sha256} says {noted}: run `cargo xtask bpf`",
            hash(&committed)
        );
    }
    let built_with =
        fs::read_to_string(root.join(BUILT_WITH)).with_context(|| format!("cannot read {BUILT_WITH}"))?;
    let tools = match Tools::find().and_then(|tools| Ok((tools.describe()?, tools))) {
        Ok((here, tools)) if here == built_with => tools,
        Ok((here, _)) => {
            println!(
                "not rebuilt: the tools here are not those that made the object.\nhere:\n{here}\nthen:\n{built_with}"
            );
            println!("the tests of src/probe load the object all the same, where they may.");
            return Ok(());
        }
        Err(error) => {
            println!("not rebuilt: {error:#}.");
            println!("the tests of src/probe load the object all the same, where they may.");
            return Ok(());
        }
    };
    let aside = tempfile::tempdir().context("no directory to build in")?;
    for (path, features) in OBJECTS {
        let built = hash(&tools.build(root, aside.path(), features)?);
        let committed = hash(&fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?);
        if built != committed {
            bail!(
                "the sources give {built} and {path} is {committed}: run `cargo xtask bpf` and commit what it writes"
            );
        }
        println!("{committed}  {path}: rebuilt, and the same");
    }
    Ok(())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What it takes to build.
struct Tools {
    rustc: PathBuf,
    linker: PathBuf,
    /// Where the compiler's library sources lie; their real place, since the compiler follows links.
    library: PathBuf,
    registry: PathBuf,
}

impl Tools {
    fn find() -> Result<Self> {
        let rustc = std::env::var_os("BPF_RUSTC").map_or_else(|| "/usr/bin/rustc".into(), PathBuf::from);
        let sysroot = output(Command::new(&rustc).args(["--print", "sysroot"]))
            .context("the kernel programs need Debian's rustc-web (or BPF_RUSTC)")?;
        let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        let library = library.canonicalize().with_context(|| {
            format!("{} is missing: install rust-web-src, which has the sources of core", library.display())
        })?;
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
        let registry = home.context("neither CARGO_HOME nor a home directory is known")?.join("registry/src");
        Ok(Self { rustc, linker: find_linker()?, library, registry })
    }

    /// The tools by name and version, as they are noted beside the object.
    fn describe(&self) -> Result<String> {
        let rustc = output(Command::new(&self.rustc).arg("-Vv"))?;
        let linker = output(Command::new(&self.linker).arg("--version"))?;
        Ok(format!("{}\n{}\n", rustc.trim(), linker.trim()))
    }

    /// Builds into `target`, and gives the stripped object.
    fn build(&self, root: &Path, target: &Path, features: &str) -> Result<Vec<u8>> {
        let sources = root.join("src/ebpf");
        let mut flags: Vec<OsString> = vec!["-Clink-arg=--btf".into()];
        let mut map = |from: &Path, to: &str| {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(from);
            flag.push("=");
            flag.push(to);
            flags.push(flag);
        };
        map(&sources, "/ebpf");
        map(target, "/target");
        map(&self.library, "/rust");
        // One directory a registry, named by where it was fetched from: a mirror must not change the bytes.
        if let Ok(registries) = fs::read_dir(&self.registry) {
            for registry in registries.flatten() {
                map(&registry.path(), "/registry");
            }
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        run(Command::new(cargo)
            .current_dir(&sources)
            .env("RUSTC", &self.rustc)
            // Lets a released compiler build `core` itself.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}".as_ref()))
            // Not as a flag: flags go into the crates' hashes, and where the linker lies must not.
            .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &self.linker)
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTUP_TOOLCHAIN")
            .args(["build", "--release", "--locked", "--features", features, "--bin", "eyas-bpf"])
            .args(["--target", TARGET, "-Zbuild-std=core", "--ignore-rust-version", "--target-dir"])
            .arg(target))?;
        let linked = target.join(TARGET).join("release/eyas-bpf");
        strip_debug(&fs::read(&linked).with_context(|| format!("cannot read {}", linked.display()))?)
    }
}

/// `$BPF_LINKER`, else the first in PATH, else where docs/kernel.md puts it.
fn find_linker() -> Result<PathBuf> {
    if let Some(linker) = std::env::var_os("BPF_LINKER") {
        return Ok(linker.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain([PathBuf::from("/opt/bpf/bin")]);
    dirs.map(|dir| dir.join("bpf-linker"))
        .find(|linker| linker.is_file())
        .context("bpf-linker is neither in PATH nor in /opt/bpf/bin: docs/kernel.md says how to install it")
}
