/**
 * Fetches Debian packages of the lab base's suite and unpacks them, without installing anything: no maintainer script
 * runs, nothing is mounted, no root is needed. apt checks every package against the archive's signed lists.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openLock, runOk } from '../lab/index.ts'

const APT_TIMEOUT_MS = 300_000

interface Folders {
  /** A Debian root file system: its apt sources and keys say where packages come from. It is only read. */
  readonly base: string
  /** Kept between builds: package lists and package files. */
  readonly cache: string
  /** Receives the files of all packages; must be empty. */
  readonly tree: string
}

/** Unpacks the newest version of each package into `tree`; returns their names with versions, sorted. */
export async function unpackPackages(
  names: readonly string[],
  { base, cache, tree }: Folders,
): Promise<readonly string[]> {
  const state = join(cache, 'apt')
  const packages = join(cache, 'packages')
  await Promise.all(
    [join(state, 'lists/partial'), join(state, 'archives/partial'), packages, tree].map(folder =>
      mkdir(folder, { recursive: true }),
    ),
  )
  const options = aptOptions(base, state)
  const apt = (cwd: string, ...command: readonly string[]) =>
    runOk(['apt-get', '-qq', ...options, ...command], {
      cwd,
      timeoutMs: APT_TIMEOUT_MS,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    })
  // One build at a time: apt refuses to share its lists.
  await using _lock = await openLock(join(cache, 'apt.lock'))
  await apt(packages, 'update')
  // In an empty folder, because a package that is there already is not printed.
  const printed = await apt(tree, 'download', '--print-uris', ...names)
  const files = packageFiles(printed)
  await apt(packages, 'download', ...names)
  const present = new Set(await readdir(packages))
  const missing = files.filter(file => !present.has(file))
  if (files.length !== names.length || missing.length > 0) {
    throw new Error(`apt offers ${files.length} of ${names.length} packages; missing: ${missing}`)
  }
  for (const file of files) await runOk(['dpkg-deb', '--extract', join(packages, file), tree])
  return files.map(file => decodeURIComponent(file.replace(/\.deb$/, '')))
}

/** The file names in the output of `apt-get --print-uris`, sorted. */
export function packageFiles(printed: string): readonly string[] {
  return [...printed.matchAll(/^'[^']+' (\S+\.deb) \d+/gm)].map(match => match[1] ?? '').sort()
}

function aptOptions(base: string, state: string): readonly string[] {
  const settings = {
    'Dir::Etc': join(base, 'etc/apt'),
    'Dir::Etc::trusted': join(base, 'etc/apt/trusted.gpg'),
    'Dir::Etc::trustedparts': join(base, 'etc/apt/trusted.gpg.d'),
    'Dir::State': state,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': join(base, 'var/lib/dpkg/status'),
    'Dir::Cache': state,
    'Dir::Cache::archives': join(state, 'archives'),
    'APT::Architecture': 'amd64',
    'APT::Architectures::': 'amd64',
    // The user that apt otherwise changes to cannot write into a private cache.
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '3',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}
