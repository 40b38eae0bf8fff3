#!/usr/bin/env bash
# The quiet host: what an idle Debian 12 machine does by itself, played for real while eyas watches with the shipped rules. Fails
# when an alert above NOTICE comes of it. It installs packages and starts cron and sshd (on loopback, for as long as it
# runs), so it is for a machine that may be thrown away. As root: `xtask/quiet/host.sh [EYAS]`.
set -euo pipefail
eyas=$(realpath "${1:-target/release/eyas}")
export DEBIAN_FRONTEND=noninteractive
# Not below /tmp, where nobody compiles on a quiet host.
home=$(mktemp -d /var/lib/eyas-quiet.XXXXXX)
store=$(mktemp -d /var/lib/eyas-store.XXXXXX)
pids=()
ends() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    crontab -r 2>/dev/null || true
    rm -rf "$home" "$store"
}
trap ends EXIT
cd "$home"
apt-get update -qq
apt-get install -y -qq --no-install-recommends cron openssh-client openssh-server runc busybox-static gcc libc6-dev jq >/dev/null
if crontab -l >/dev/null 2>&1; then echo "root has a crontab here, which this would take away"; exit 2; fi
ssh-keygen -q -t ed25519 -N '' -f key
mkdir -p /run/sshd bundle/rootfs/{bin,proc,sys,dev,etc,tmp}
cp /bin/busybox bundle/rootfs/bin/busybox
ln -s busybox bundle/rootfs/bin/sh
(cd bundle && runc spec && jq '.process.terminal = false | .process.args = ["sh", "-c", "busybox id; busybox ls /"]
    | del(.process.rlimits)' config.json >changed && mv changed config.json)
printf '#include <stdio.h>\nint main(void) { puts("compiled"); }\n' >compiled.c

"$eyas" run --headless --store "$store/eyas.db" >"$store/alerts" 2>"$store/said" &
sensor=$!
pids+=("$sensor")
until grep -q watching "$store/said"; do kill -0 "$sensor"; sleep 0.1; done

echo "a package upgrade"
apt-get upgrade -y -qq >/dev/null
apt-get install -y -qq --reinstall hostname less cron >/dev/null

echo "a compiler run"
gcc -O2 compiled.c -o compiled
./compiled

echo "a container start"
runc run --bundle bundle eyas-quiet </dev/null

echo "an SSH login"
/usr/sbin/sshd -D -p 22 -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile="$home/key.pub" -o StrictModes=no -o PidFile=none &
pids+=($!)
sleep 1
login=(ssh -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile="$home/known" -o LogLevel=ERROR root@127.0.0.1)
"${login[@]}" 'id; ls /var/log'
echo 'uptime; exit' | "${login[@]}" -tt

echo "a cron run"
echo '* * * * * run-parts /etc/cron.hourly; run-parts /etc/cron.daily' | crontab -
cron -f &
pids+=($!)
sleep 75

kill -INT "$sensor"
wait "$sensor" || true
tail -1 "$store/said"
jq -r '.priority + "  " + .rule' "$store/alerts" | sort | uniq -c
! jq -e 'select(.priority | IN("Notice", "Informational", "Debug") | not)' "$store/alerts"
