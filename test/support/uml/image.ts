/** The disk and the kernel of a User-Mode Linux machine: the lab's base with Debian's kernel that runs as a program. */
import { createHash } from 'node:crypto'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CONTAINED } from '../lab/base.ts'
import { runOk } from '../lab/command.ts'
import { buildBase, labCacheFolder, openLock } from '../lab/index.ts'

export interface UmlImage {
  /** The lab's base, in which the kernel runs: it needs that system's libraries. */
  readonly base: string
  /** Has `linux`, the kernel, and `disk.img`. */
  readonly folder: string
}

/** Debian's archive is fast; nobody waits longer for a mirror that hangs. */
const BUILD_TIMEOUT_MS = 600_000
const DISK_BYTES = 3 * 2 ** 30
/** What rootless Podman needs of a kernel, beyond what is built in. */
const MODULES = ['overlay', 'tun', 'veth', 'bridge', 'nf_tables', 'nft_masq', 'nft_nat']
const MORE_MODULES = ['nft_chain_nat', 'nft_ct', 'nft_fib_inet', 'nft_reject_inet', 'fuse']

/**
 * In a chroot of the base: the kernel and its modules, and a service that runs the script on the second disk, says how
 * that ended, and powers off. The lab's setting for machines without controllers goes: here there are some.
 */
const SETUP = `set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y --no-install-recommends install user-mode-linux kmod >/dev/null
version=$(ls /usr/lib/uml/modules)
mkdir -p /usr/lib/modules
mv "/usr/lib/uml/modules/$version" /usr/lib/modules/
depmod "$version"
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
rm -f /etc/systemd/system/systemd-modules-load.service /etc/systemd/system/modprobe@.service
rm -f /etc/containers/containers.conf.d/lab.conf
printf '%s\\n' ${[...MODULES, ...MORE_MODULES].join(' ')} > /etc/modules-load.d/uml.conf
echo 'nameserver 127.0.0.1' > /etc/resolv.conf
echo uml > /etc/hostname
cat > /usr/local/sbin/payload <<'END'
#!/bin/bash
chmod 666 /dev/net/tun /dev/fuse
mkdir /run/payload
tar -xf /dev/ubdb -C /run/payload
bash /run/payload/run.sh
echo "payload-exit=$?"
sync
systemctl poweroff -ff
END
chmod 755 /usr/local/sbin/payload
cat > /etc/systemd/system/payload.service <<'END'
[Unit]
After=multi-user.target user@1000.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/payload
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
END
ln -sf ../payload.service /etc/systemd/system/multi-user.target.wants/payload.service
`

/** Mounts in a namespace of its own: whatever happens, nothing of it stays. */
const BUILD = `set -eu
cd "$1"
mkdir -p upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root
mount -t proc proc root/proc
mount --bind /dev root/dev
cp -L /etc/resolv.conf root/etc/resolv.conf
chroot root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sh < setup.sh
umount root/dev root/proc
mv root/usr/bin/linux.uml linux
truncate -s ${DISK_BYTES} disk.img
mkfs.ext4 -q -F -d root disk.img
umount root
rm -rf upper work root setup.sh
`

/**
 * Builds it once per machine and state of the base, in about 40 s; needs the network then.
 * @throws LabError `LAB_COMMAND_FAILED` with what apt wrote, when the package cannot be had.
 */
export async function buildUmlImage(onProgress: (line: string) => void): Promise<UmlImage> {
  const base = await buildBase(onProgress)
  const key = createHash('sha256').update(`${base.key}\n${SETUP}\n${BUILD}`).digest('hex')
  const cache = labCacheFolder()
  const image = { base: base.folder, folder: join(cache, `uml-${key.slice(0, 16)}`) }
  await using _lock = await openLock(join(cache, '.uml.lock'))
  if (await isThere(image.folder)) return image
  onProgress('user-mode-linux: building the disk')
  const half = join(cache, 'half-made-uml')
  await rm(half, { recursive: true, force: true })
  await mkdir(half, { mode: 0o755 })
  await writeFile(join(half, 'setup.sh'), SETUP)
  await runOk([...CONTAINED, 'sh', '-c', BUILD, 'build', half, base.folder], {
    timeoutMs: BUILD_TIMEOUT_MS,
  })
  await rename(half, image.folder)
  return image
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
