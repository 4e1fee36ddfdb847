/** Installs the Debian packages that the lab needs, where this process may. */
import { constants } from 'node:fs'
import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { runCommand } from './command.ts'
import { LabError } from './errors.ts'

/** Program → the Debian package that has it. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  debootstrap: 'debootstrap',
  nft: 'nftables',
  ip: 'iproute2',
  tc: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  flock: 'util-linux',
  mount: 'mount',
  tar: 'tar',
  zstd: 'zstd',
  perl: 'perl-base',
  bash: 'bash',
  // A token in software, and the program through which a publisher signs with a token.
  'softhsm2-util': 'softhsm2',
  'pkcs11-tool': 'opensc',
}

/** Debian's own archive is fast; a mirror that hangs is not waited for longer than this. */
const APT_TIMEOUT_MS = 300_000

const POLICY_PATH = '/usr/sbin/policy-rc.d'
const POLICY_TEXT =
  '#!/bin/sh\n# archy-lab: no service is started by an installation; safe to delete\nexit 101\n'

/** Programs of `PROGRAMS` that this machine does not have. */
export async function missingPrograms(
  path: string = process.env.PATH ?? '',
): Promise<readonly string[]> {
  const found = await Promise.all(Object.keys(PROGRAMS).map(name => isOnPath(name, path)))
  return Object.keys(PROGRAMS).filter((_, index) => found[index] === false)
}

/** True on Debian itself; derived systems have other archives and versions. */
export async function isDebian(): Promise<boolean> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^ID="?debian"?$/m.test(text)
}

/**
 * Installs what is missing and returns the names of the packages it asked for; none when nothing is missing, and none
 * where it may not (not root, no Debian): `labMissing` then says what is wanted. Starts and changes no service.
 * @throws LabError `LAB_COMMAND_FAILED` with the end of what apt-get wrote.
 */
export async function ensureLabPackages(
  onProgress: (line: string) => void = () => {},
): Promise<readonly string[]> {
  if (process.getuid?.() !== 0 || !(await isDebian())) return []
  const missing = await missingPrograms()
  const names = [...new Set(missing.map(program => PROGRAMS[program] ?? program))].sort()
  if (names.length === 0) return []
  onProgress(`packages: installing ${names.join(' ')}`)
  const updated = await aptGet(['update'])
  const policy = await holdServices()
  try {
    const installed = await aptGet(['install', '--yes', '--no-install-recommends', ...names])
    if (installed.code !== 0) {
      const tail = `${updated.stderr}\n${installed.stdout}${installed.stderr}`.trim().slice(-2000)
      throw new LabError(
        'LAB_COMMAND_FAILED',
        `apt-get install ${names.join(' ')} ended with ${installed.code ?? 'a signal'}\n${tail}`,
      )
    }
  } finally {
    await policy?.remove()
  }
  return names
}

function aptGet(args: readonly string[]): ReturnType<typeof runCommand> {
  return runCommand(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: APT_TIMEOUT_MS,
  })
}

/** Forbids service starts while packages are installed. A policy that the machine has already is left as it is. */
async function holdServices(): Promise<{ remove(): Promise<void> } | undefined> {
  const before = await readFile(POLICY_PATH, 'utf8').catch(() => undefined)
  if (before !== undefined && before !== POLICY_TEXT) return undefined
  await writeFile(POLICY_PATH, POLICY_TEXT, { mode: 0o755 })
  return { remove: () => rm(POLICY_PATH, { force: true }) }
}

async function isOnPath(program: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter)) {
    try {
      await access(join(folder, program), constants.X_OK)
      return true
    } catch {
      // Not in this folder: the next one is asked.
    }
  }
  return false
}
