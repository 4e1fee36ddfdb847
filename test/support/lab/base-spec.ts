/** What the base of every node is made of: data only, so that a change of any of it makes a new base. */

export interface BaseSpec {
  readonly suite: string
  readonly packages: readonly string[]
  /** Path in the tree → text. */
  readonly files: Readonly<Record<string, string>>
  /** Units that make no sense in a node, or would do things in a test that it did not ask for. */
  readonly masked: readonly string[]
  /** Run by sh inside the tree, last. */
  readonly setup: string
}

const SYSTEM = ['systemd', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'procps']
const CONTAINERS = ['podman', 'crun', 'catatonit', 'uidmap', 'passt', 'netavark', 'aardvark-dns']
const NETWORK = ['nftables', 'iproute2', 'iputils-ping', 'curl', 'ca-certificates']
/** nginx is there to show that any static web server can be the origin. */
const FOR_TESTS = ['jq', 'skopeo', 'nginx']

const SETUP = `set -eu
groupadd -g 1000 archy
useradd -m -u 1000 -g 1000 -s /bin/bash archy
grep -q '^archy:' /etc/subuid || echo archy:100000:65536 >> /etc/subuid
grep -q '^archy:' /etc/subgid || echo archy:100000:65536 >> /etc/subgid
install -d /var/lib/systemd/linger /var/log/journal /lab /opt/archy
: > /var/lib/systemd/linger/archy
install -d -o 1000 -g 1000 /home/archy/.config /home/archy/.config/containers \\
  /home/archy/.config/containers/systemd /home/archy/.local /home/archy/.local/share
# Every node gets a machine id, a name and a resolver of its own.
: > /etc/machine-id
rm -f /etc/hostname /etc/resolv.conf /var/lib/dbus/machine-id
# Rootless Quadlet units wait for the system's network-online.target: have it reached at boot.
install -d /etc/systemd/system/multi-user.target.wants
ln -sf /usr/lib/systemd/system/network-online.target /etc/systemd/system/multi-user.target.wants/
rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/* /usr/share/man \\
  /usr/share/locale /usr/share/info /var/log/*.log /var/log/apt
find /usr/share/doc -type f ! -name copyright -delete
`

export const BASE_SPEC: BaseSpec = {
  suite: 'trixie',
  packages: [...SYSTEM, ...CONTAINERS, ...NETWORK, ...FOR_TESTS],
  files: {
    // No cgroup controllers reach the nodes where the host uses cgroup v1; Podman would insist on a limit of pids.
    'etc/containers/containers.conf.d/lab.conf': '[containers]\npids_limit = 0\n',
    // Persistent, so that it can be read after a power cut.
    'etc/systemd/journald.conf.d/lab.conf':
      '[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitIntervalSec=0\nSyncIntervalSec=5s\nAudit=no\n',
  },
  masked: [
    'console-getty.service',
    'getty@.service',
    'serial-getty@.service',
    'container-getty@.service',
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'e2scrub_reap.service',
    'systemd-firstboot.service',
    'systemd-networkd-wait-online.service',
    'systemd-modules-load.service',
    'modprobe@.service',
    'kmod-static-nodes.service',
    'sys-kernel-debug.mount',
    'sys-kernel-tracing.mount',
    'dev-hugepages.mount',
    'systemd-udevd.service',
    'systemd-udev-trigger.service',
    'netavark-dhcp-proxy.service',
    'netavark-dhcp-proxy.socket',
    'nginx.service',
    'podman-auto-update.timer',
    'podman-auto-update.service',
    'podman-clean-transient.service',
    'podman-restart.service',
    'podman.service',
    'podman.socket',
  ],
  setup: SETUP,
}
