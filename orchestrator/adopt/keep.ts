/** Secrets and data of an adopted app, where this node looks for them. What is there already is never changed. */
import { lstat, mkdir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../src/core/errors.ts'
import { readFileBounded, syncFolder, writeFileAtomic } from '../../src/core/files.ts'
import { appDataFolder, type Context, secretFolder } from '../context.ts'
import type { Pin } from './match.ts'
import { refused } from './plan.ts'

/** As for secrets that the node made. */
export const SECRET_BYTES_MAX = 4096

export async function assertSecretsFit(
  { options }: Context,
  id: string,
  values: ReadonlyMap<string, string>,
): Promise<void> {
  const problems: string[] = []
  for (const [name, value] of values) {
    if (Buffer.byteLength(value) > SECRET_BYTES_MAX) problems.push(`the secret ${name} is too long`)
    const kept = await readFileBounded(join(secretFolder(options, id), name), SECRET_BYTES_MAX)
    if (kept !== undefined && Buffer.from(kept).toString('utf8') !== value) {
      problems.push(
        `the secret ${name} of an earlier installation is another one than the containers have`,
      )
    }
  }
  if (problems.length > 0) throw refused(id, problems)
}

export async function keepSecrets(
  { options }: Context,
  id: string,
  values: ReadonlyMap<string, string>,
): Promise<void> {
  const folder = secretFolder(options, id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const [name, value] of values) {
    await writeFileAtomic(join(folder, name), value, { mode: 0o600 })
  }
}

/** Data stays where it is: where this node looks for it there is a link. */
export async function pinData(
  { options }: Context,
  id: string,
  pins: readonly Pin[],
): Promise<void> {
  const folder = appDataFolder(options, id)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  for (const { set, source } of pins) {
    if ((await linkAt(join(folder, set))) === source) continue
    await symlink(source, join(folder, set))
  }
  await syncFolder(folder)
}

export async function pinProblems(
  folder: string,
  pins: readonly Pin[],
): Promise<readonly string[]> {
  const problems = await Promise.all(
    pins.map(async ({ set, source }) => {
      const present = await linkAt(join(folder, set))
      if (present === undefined || present === source) return []
      return [
        `${join(folder, set)} has data of an earlier installation, but the containers use ${source}; move one of them away`,
      ]
    }),
  )
  return problems.flat()
}

/** Where the link points; the path itself for what is no link. */
async function linkAt(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : path
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
