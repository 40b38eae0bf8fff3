#!/usr/bin/env bash
# The quiet host: what an idle Debian 12 machine does by itself, played for real while eyas watches with the shipped rules. Fails
# when an alert above NOTICE comes of it, or none at all (the new crontab is worth one). It installs packages, upgrades what is
# installed, and sets a crontab for root, so it is for a machine that may be thrown away. As root: `xtask/quiet/host.sh [EYAS]`.
set -euo pipefail
eyas=$(realpath "${1:-target/release/eyas}")
if crontab -l >/dev/null 2>&1; then
    echo "root has a crontab, which this would take away: empty it first (crontab -r)"
    exit 2
fi
export DEBIAN_FRONTEND=noninteractive
keep=(-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
# Not below /tmp, where nobody compiles on a quiet host.
home=$(mktemp -d /var/lib/eyas-quiet.XXXXXX)
store=$(mktemp -d /var/lib/eyas-store.XXXXXX)
groups=()
scheduled=
ends() {
    [ -z "$scheduled" ] || crontab -r
    for group in "${groups[@]}"; do
        kill -- "-$group" 2>/dev/null || true
    done
    wait
    rm -rf "$home" "$store"
}
trap ends EXIT
# Each job has a process group of its own, so that nothing of it stays.
set -m
cd "$home"
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${keep[@]}" cron openssh-client openssh-server runc busybox-static gcc libc6-dev jq >/dev/null
ssh-keygen -q -t ed25519 -N '' -f key
mkdir -p /run/sshd bundle/rootfs/{bin,proc,sys,dev,etc,tmp}
cp /bin/busybox bundle/rootfs/bin/busybox
ln -s busybox bundle/rootfs/bin/sh
(cd bundle && runc spec && jq '.process.terminal = false | .process.args = ["sh", "-c", "busybox id; busybox ls /"]
    | del(.process.rlimits)' config.json >changed && mv changed config.json)
printf '#include <stdio.h>\nint main(void) { puts("compiled"); }\n' >compiled.c

"$eyas" run --headless --store "$store/eyas.db" >"$store/alerts" 2>"$store/said" &
sensor=$!
groups+=("$sensor")
until grep -q '^eyas: watching' "$store/said"; do
    kill -0 "$sensor" 2>/dev/null || { cat "$store/said"; exit 2; }
    sleep 0.1
done

echo "a package upgrade"
apt-get upgrade -y -qq "${keep[@]}" >/dev/null
apt-get install -y -qq --reinstall "${keep[@]}" hostname less cron >/dev/null

echo "a compiler run"
gcc -O2 compiled.c -o compiled
./compiled

echo "a container start"
runc run --bundle bundle "eyas-quiet-$$" </dev/null

echo "an SSH login"
# Another port than that of the machine's own server, if it has one.
/usr/sbin/sshd -D -p 2222 -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile="$home/key.pub" -o StrictModes=no -o PidFile=none &
server=$!
groups+=("$server")
sleep 1
kill -0 "$server"
login=(ssh -p 2222 -i key -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile="$home/known"
    -o LogLevel=ERROR root@127.0.0.1)
"${login[@]}" 'id; ls /var/log'
echo 'uptime; exit' | "${login[@]}" -tt

echo "a cron run"
# apt's own job waits up to half an hour before it does a thing.
echo '* * * * * run-parts /etc/cron.hourly; for job in /etc/cron.daily/*; do case $job in */apt-compat) ;; *) $job ;; esac; done; touch '"$home/done" |
    crontab -
scheduled=yes
cron -f &
groups+=("$!")
for _ in $(seq 180); do
    [ -e done ] && break
    sleep 1
done
crontab -r
scheduled=
[ -e done ] || { echo "cron ran nothing in three minutes"; exit 2; }
sleep 1

kill -INT "$sensor"
wait "$sensor" || { cat "$store/said"; exit 2; }
tail -1 "$store/said"
jq -r '.priority + "  " + .rule' "$store/alerts" | sort | uniq -c
[ -s "$store/alerts" ]
! jq -e 'select(.priority | IN("Notice", "Informational", "Debug") | not)' "$store/alerts"
