/** What the machine with controllers does: starts the app as the node would, lets it run into its limits, and tells. */
import { containerUnit } from '../../orchestrator/names.ts'

const CPU_SECONDS = 10
const UNITS = ['memory', 'pids', 'cpu']
  .map(component => `${component}) echo ${containerUnit('limits', component)};;`)
  .join(' ')

/** Runs as root with the units in `quadlet` and `user`, and the layout in `image`; each finding is a line `limits NAME=VALUE`. */
export const SCRIPT = `set -u
user() { runuser -u archy -- env -C /home/archy XDG_RUNTIME_DIR=/run/user/1000 HOME=/home/archy "$@"; }
tell() { echo "limits $1=$2"; }
unit() { case $1 in ${UNITS} esac; }
journal() { user journalctl --user --quiet -o cat -u "$(unit "$1")"; }
waited() { for _ in $(seq "$1"); do eval "$2" && return 0; sleep 1; done; return 1; }
# The console has words of systemd on its first line.
echo
chmod 755 /run/payload
# This kernel has no tables of the family inet, so nobody filters; the app's units are what they always are.
mkdir -p /etc/containers/containers.conf.d
printf '[network]\\nfirewall_driver = "none"\\n' > /etc/containers/containers.conf.d/uml.conf
waited 60 '[ -S /run/user/1000/bus ]'
tell controllers "$(cat /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers)"
user podman pull --quiet oci:/run/payload/image || exit 1
install -d -o archy -g archy /home/archy/.config/containers/systemd /home/archy/.config/systemd /home/archy/.config/systemd/user
install -o archy -g archy -m 644 /run/payload/quadlet/* /home/archy/.config/containers/systemd/
install -o archy -g archy -m 644 /run/payload/user/* /home/archy/.config/systemd/user/
user systemctl --user daemon-reload
user systemctl --user start app-limits.target
group() { echo "/sys/fs/cgroup$(user systemctl --user show -P ControlGroup "$(unit "$1")")"; }
number() { cat "$(group "$1")/$2"; }
event() { sed -n "s/^$3 //p" "$(group "$1")/$2"; }
waited 90 'journal memory | grep -q "large ended"'
tell small "$(journal memory | sed -n 's/^small ended with //p' | tail -n 1)"
tell large "$(journal memory | sed -n 's/^large ended with //p' | tail -n 1)"
tell memory.max "$(number memory memory.max)"
tell memory.peak "$(number memory memory.peak)"
tell memory.killed "$(event memory memory.events oom_kill)"
tell memory.state "$(user systemctl --user show -P ActiveState $(unit memory))"
waited 90 'journal pids | grep -q "forks ended"'
tell forks "$(journal pids | sed -n 's/^forks ended with //p' | tail -n 1)"
tell pids.max "$(number pids pids.max)"
tell pids.current "$(number pids pids.current)"
tell pids.refused "$(event pids pids.events max)"
waited 60 '[ "$(user systemctl --user is-active $(unit cpu))" = active ]'
tell cpu.max "$(number cpu cpu.max)"
before=$(event cpu cpu.stat usage_usec); begun=$(cut -d' ' -f1 /proc/uptime)
sleep ${CPU_SECONDS}
after=$(event cpu cpu.stat usage_usec); ended=$(cut -d' ' -f1 /proc/uptime)
tell cpu.percent "$(awk "BEGIN { print int(($after - $before) / 10000 / ($ended - $begun) + 0.5) }")"
tell cpu.throttled "$(event cpu cpu.stat nr_throttled)"
user systemctl --user list-units --all --plain --no-legend 'app-*'
`
