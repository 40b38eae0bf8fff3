//! Which container a cgroup path belongs to, by the shapes that runtimes use. Anything else is the host: some hosts put
//! their shells into cgroups with long hexadecimal names, and those are no containers.

/// How many digits of an id are shown, as Falco does.
const SHOWN: usize = 12;

/// The container's id, cut to 12 digits (LXC, libvirt's LXC and BPM: the container's name, whole), or `None` for the host. With containers
/// in containers it is the innermost.
pub fn container_id(cgroup_path: &str) -> Option<&str> {
    let mut rest = cgroup_path.trim_end_matches('/');
    while let Some((above, name)) = rest.rsplit_once('/') {
        if let Some(id) = of_component(above, name) {
            return Some(id);
        }
        rest = above;
    }
    None
}

/// The id that the last component of a path names, given the path above it.
fn of_component<'p>(above: &str, name: &'p str) -> Option<&'p str> {
    let scope = name.strip_suffix(".scope").unwrap_or(name);
    // docker-<id>.scope, libpod-<id>(.scope), crio-<id>(.scope), cri-containerd-<id>.scope, nerdctl-<id>.scope
    for prefix in ["docker-", "libpod-", "crio-", "cri-containerd-", "nerdctl-"] {
        if let Some(id) = scope.strip_prefix(prefix).and_then(full_id) {
            return Some(id);
        }
    }
    // system.slice:cri-containerd:<id>, kubepods-….slice:cri-containerd:<id>
    if let Some((_, id)) = name.rsplit_once(":cri-containerd:") {
        return full_id(id);
    }
    // lxc.payload.<name>, and the older /lxc/<name>
    if let Some(id) = name.strip_prefix("lxc.payload.").filter(|id| !id.is_empty()) {
        return Some(id);
    }
    if above.ends_with("/lxc") || above == "lxc" {
        return Some(name);
    }
    // libvirt's LXC: machine-lxc\x2d<number>\x2d<name>.scope, <name>.libvirt-lxc, and the older /libvirt/lxc/<name> above
    let libvirt = scope.strip_prefix(r"machine-lxc\x2d").filter(|_| scope.len() < name.len());
    if let Some(id) = libvirt.or_else(|| name.strip_suffix(".libvirt-lxc")).filter(|id| !id.is_empty()) {
        return Some(id);
    }
    // Cloud Foundry's BPM: bpm-<name>(.scope); its names have no other letters
    let unit = [".service", ".slice"].iter().any(|kind| name.ends_with(kind));
    let bpm = scope.strip_prefix("bpm-").filter(|_| !unit);
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if let Some(id) = bpm.filter(|id| !id.is_empty() && id.bytes().all(letter)) {
        return Some(id);
    }
    // A bare id: below docker, or anywhere below the trees that the kubelet and containerd's CRI make.
    let id = full_id(name)?;
    let parent = above.rsplit('/').next().unwrap_or(above);
    let in_tree = |root: &str| above.split('/').any(|part| part == root || part == format!("{root}.slice"));
    (parent == "docker" || in_tree("kubepods") || in_tree("k8s.io")).then_some(id)
}

/// The id of the v2 hierarchy's root (Linux: the first node of a kernfs tree). It is what the kernel says of every process
/// on a machine without that hierarchy.
pub(crate) const ROOT_CGROUP: u64 = 1;

/// Marks ids that are made here for cgroups of v1 hierarchies, which have none: inode numbers do not come so far.
const MADE_HERE: u64 = 1 << 63;

/// An id for a cgroup of a v1 hierarchy: a hash of its path (FNV-1a), the same whenever and wherever it is made.
pub(crate) fn v1_cgroup_id(path: &[u8]) -> u64 {
    let hash =
        path.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    hash | MADE_HERE
}

/// Whether an id was made by [`v1_cgroup_id`].
pub(crate) fn is_v1_cgroup(id: u64) -> bool {
    id & MADE_HERE != 0
}

/// The first of a process's cgroup paths that names a container.
pub(crate) fn container_path(paths: &[Vec<u8>]) -> Option<&[u8]> {
    paths.iter().map(Vec::as_slice).find(|p| std::str::from_utf8(p).is_ok_and(|p| container_id(p).is_some()))
}

/// The shown part of an id of exactly 64 hexadecimal digits.
fn full_id(text: &str) -> Option<&str> {
    let hex = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| &text[..SHOWN])
}

#[cfg(test)]
mod tests {
    use super::container_id;

    const ID: &str = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
    const SHORT: &str = "3ad7b26ded6d";

    #[test]
    fn the_known_shapes_name_their_container() {
        for path in [
            "/docker/{}",
            "/system.slice/docker-{}.scope",
            "/libpod_parent/libpod-{}",
            "/libpod_parent/0000000000000000000000000000000000000000000000000000000000000000/libpod-{}",
            "/machine.slice/libpod-{}.scope",
            "/machine.slice/libpod-{}.scope/container",
            "/k8s.io/{}",
            "/kubepods/burstable/pod7e3b8b55-2c5b-4d1c-8d3e-0a2c1a2b3c4d/{}",
            "/kubepods/pod7e3b8b55-2c5b-4d1c-8d3e-0a2c1a2b3c4d/{}",
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod7e3b8b55_2c5b.slice/cri-containerd-{}.scope",
            "/kubepods.slice/kubepods-pod7e3b8b55.slice/crio-{}.scope",
            "/crio-{}",
            "/system.slice:cri-containerd:{}",
            "/kubepods-burstable-pod0f6b.slice:cri-containerd:{}",
            "/default/nerdctl-{}",
            "/docker/1111111111111111111111111111111111111111111111111111111111111111/docker/{}",
            "/docker/{}/init.scope",
        ] {
            let path = path.replace("{}", ID);
            assert_eq!(container_id(&path), Some(SHORT), "{path}");
        }
        assert_eq!(container_id("/lxc.payload.web1"), Some("web1"));
        for path in [
            "/lxc/web1",
            "/libvirt/lxc/web1",
            "/machine/web1.libvirt-lxc",
            r"/machine.slice/machine-lxc\x2dweb1.scope",
            r"/machine.slice/machine-lxc\x2dweb1.scope/libvirt/emulator",
            "/bpm-web1",
            "/system.slice/bpm-web1.scope",
        ] {
            assert_eq!(container_id(path), Some("web1"), "{path}");
        }
    }

    #[test]
    fn everything_else_is_the_host() {
        for path in [
            "/",
            "",
            "/user.slice/user-0.slice/session-1.scope",
            "/service_api/883454739f2796905327ae08dbbf3f97",
            "/883454739f2796905327ae08dbbf3f97883454739f2796905327ae08dbbf3f97",
            "/system.slice/docker.service",
            "/machine.slice/libpod-conmon-{}.scope",
            "/kubepods.slice/crio-conmon-{}.scope",
            "/t1",
            "/default/ctr1",
            "/kubepods/burstable/pod7e3b8b55-2c5b-4d1c-8d3e-0a2c1a2b3c4d",
            r"/machine.slice/machine-qemu\x2d4\x2dguest.scope",
            "/system.slice/bpm-agent.service",
        ] {
            let path = path.replace("{}", ID);
            assert_eq!(container_id(&path), None, "{path}");
        }
    }
}
