/** Boots a User-Mode Linux machine for the life of one script: no rights of the host's cgroups, no KVM, no network. */
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONTAINED } from '../lab/base.ts'
import { runCommand, runOk } from '../lab/command.ts'
import type { UmlImage } from './image.ts'

export interface UmlResult {
  /** What the script wrote, and what systemd wrote to the console. */
  readonly output: string
  /** The script's own status; `undefined` when it did not come to its end. */
  readonly code: number | undefined
}

/** A disk is made of whole blocks. */
const BLOCK_BYTES = 4096

/** The disk stays as it is: what the machine writes goes to a copy-on-write file. `/dev/shm` is its memory. */
const BOOT = `set -eu
cd "$1"
mkdir -p upper work root
mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs -o size=4G tmpfs root/dev/shm
mkdir -p root/uml root/own
mount --bind "$3" root/uml
mount --bind "$1" root/own
exec chroot root env -i -C /own HOME=/root PATH=/usr/bin:/bin TMPDIR=/dev/shm /uml/linux \\
  ubda=/own/cow,/uml/disk.img ubdb=/own/payload root=/dev/ubda rw "mem=$4" \\
  con=null con0=fd:0,fd:1 ssl=null systemd.show_status=0 quiet loglevel=1 < /dev/null
`

/** `payload` is a folder with `run.sh`, which runs as root with everything in `/run/payload`. */
export async function runInUml(
  { base, folder }: UmlImage,
  payload: string,
  { memory, timeoutMs }: { readonly memory: string; readonly timeoutMs: number },
): Promise<UmlResult> {
  const own = await mkdtemp(join(tmpdir(), 'archy-uml-'))
  try {
    const disk = join(own, 'payload')
    await runOk(['tar', '-cf', disk, '-C', payload, '.'])
    const { size } = await stat(disk)
    await truncate(disk, Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES)
    const boot = ['sh', '-c', BOOT, 'boot', own, base, folder, memory]
    const argv = [...CONTAINED, 'unshare', '--net', ...boot]
    const { stdout, stderr } = await runCommand(argv, { timeoutMs })
    const output = `${stdout}${stderr}`.replaceAll('\r', '')
    const status = /^payload-exit=(\d+)$/m.exec(output)?.[1]
    return { output, code: status === undefined ? undefined : Number(status) }
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
