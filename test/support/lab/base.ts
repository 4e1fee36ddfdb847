/** Builds the Debian tree that all nodes share, once per machine, and restores it from an archive where there is one. */
import { createHash } from 'node:crypto'
import { access, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { arch } from 'node:os'
import { dirname, join } from 'node:path'
import { BASE_SPEC, type BaseSpec } from './base-spec.ts'
import { type CommandOptions, runOk } from './command.ts'
import { openLock } from './lock.ts'
import { labCacheFolder } from './paths.ts'

/** A build takes about a minute of CPU; a slow mirror on two busy cores may need many times that. */
const BUILD_TIMEOUT_MS = 900_000

export interface Base {
  /** The tree. Shared and read-only by agreement: use it as the lower folder of an overlay. */
  readonly folder: string
  /** Changes whenever anything the base is made of changes. */
  readonly key: string
}

/** The key of a base: a hash of everything that goes into it. */
export function baseKey(spec: BaseSpec, architecture: string): string {
  return createHash('sha256')
    .update(JSON.stringify([architecture, spec]))
    .digest('hex')
    .slice(0, 16)
}

/**
 * Returns the base, and makes it first where it is missing: from `base-KEY.tar.zst` in the cache folder, or else with
 * debootstrap (network needed). Any number of processes may call it at once; a call that is killed leaves no mount and no
 * process, and its half-made tree is dropped by the next call.
 * @throws LabError `LAB_COMMAND_FAILED` with the end of what the failed step wrote.
 */
export async function buildBase(onProgress: (line: string) => void = () => {}): Promise<Base> {
  const cache = labCacheFolder()
  const key = baseKey(BASE_SPEC, arch())
  const base = { folder: join(cache, `base-${key}`), key }
  if (await exists(base.folder)) return base
  await using _lock = await openLock(join(cache, '.base.lock'))
  if (await exists(base.folder)) return base
  await removeHalfMade(cache)
  const archive = `${base.folder}.tar.zst`
  const tree = join(cache, `half-made-${key}`)
  await mkdir(tree, { mode: 0o755 })
  if (await exists(archive)) {
    onProgress('base: unpacking the archive')
    await build(['tar', '--zstd', '--xattrs', '--numeric-owner', '-xpf', archive, '-C', tree])
  } else {
    await makeTree(tree, onProgress)
    onProgress('base: packing the archive')
    await build([
      'tar',
      '--zstd',
      '--xattrs',
      '--numeric-owner',
      '-cf',
      `${tree}.tar.zst`,
      '-C',
      tree,
      '.',
    ])
    await rename(`${tree}.tar.zst`, archive)
  }
  await rename(tree, base.folder)
  onProgress('base: ready')
  return base
}

/** The prefix that runs a program in mount and pid namespaces of its own: whatever it mounts or starts dies with it. */
export const CONTAINED: readonly string[] = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
  ...['--propagation', 'private'],
]

async function makeTree(tree: string, onProgress: (line: string) => void): Promise<void> {
  const { suite, packages, files, masked, setup } = BASE_SPEC
  const include = `--include=${packages.join(',')}`
  const mirror = process.env.LAB_MIRROR
  onProgress(`base: debootstrap ${suite}, about a minute`)
  await build(
    [
      ...CONTAINED,
      ...['debootstrap', '--variant=minbase', include, suite, tree],
      ...(mirror === undefined ? [] : [mirror]),
    ],
    { onLine: reportPhases(onProgress) },
  )
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true })
    await writeFile(join(tree, path), text)
  }
  await Promise.all(
    masked.map(async unit => {
      const path = join(tree, 'etc/systemd/system', unit)
      await rm(path, { force: true })
      await symlink('/dev/null', path)
    }),
  )
  onProgress('base: setting up')
  await build([...CONTAINED, 'chroot', tree, 'env', '-i', `PATH=${SYSTEM_PATH}`, 'sh', '-c', setup])
}

const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

function build(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  return runOk(argv, { timeoutMs: BUILD_TIMEOUT_MS, ...options })
}

/** debootstrap writes one line per package and step: only the first of each kind of step is told. */
function reportPhases(onProgress: (line: string) => void): (line: string) => void {
  const seen = new Set<string>()
  return line => {
    const phase = /^I: (Retrieving|Validating|Extracting|Unpacking|Configuring) /.exec(line)?.[1]
    if (phase === undefined || seen.has(phase)) return
    seen.add(phase)
    onProgress(`base: ${phase.toLowerCase()} packages`)
  }
}

async function removeHalfMade(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith('half-made-')) await rm(join(cache, name), { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
