/** Where the values of secrets are kept: one file of mode 0600 each. Names with a dot in front are notes about them. */

import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn, readFileBounded, syncFolder, writeFileAtomic } from '../src/core/files.ts'
import { type Context, secretFolder } from './context.ts'

const SECRET_BYTES_MAX = 4096

/** Every value that is kept for the app, by the name of the secret. */
export async function readSecrets(
  { options }: Context,
  id: string,
): Promise<ReadonlyMap<string, string>> {
  const folder = secretFolder(options, id)
  const values = new Map<string, string>()
  for (const name of await namesIn(folder)) {
    if (name.startsWith('.')) continue
    const bytes = await readFileBounded(join(folder, name), SECRET_BYTES_MAX)
    if (bytes !== undefined) values.set(name, Buffer.from(bytes).toString('utf8'))
  }
  return values
}

export async function writeSecret(
  { options }: Context,
  id: string,
  name: string,
  value: string,
): Promise<void> {
  await writeFileAtomic(join(secretFolder(options, id), name), value, { mode: 0o600 })
}

/**
 * Puts a new value in the place of the present one, which is kept as it was. Doing it again after a power cut goes on
 * where it was cut off; `makeValue` is asked only as long as the new value is not in place.
 */
export async function replaceSecret(
  context: Context,
  id: string,
  name: string,
  makeValue: () => string,
): Promise<void> {
  const folder = secretFolder(context.options, id)
  const { before, next } = notesOf(name)
  const present = (await readSecrets(context, id)).get(name)
  if (!(await namesIn(folder)).includes(before)) {
    await writeSecret(context, id, next, makeValue())
    if (present !== undefined) await writeSecret(context, id, before, present)
  }
  if (!(await namesIn(folder)).includes(next)) return
  await rename(join(folder, next), join(folder, name))
  await syncFolder(folder)
}

/** The value of before is in place again. Doing it again changes nothing. */
export async function restoreSecret({ options }: Context, id: string, name: string): Promise<void> {
  const folder = secretFolder(options, id)
  const { before, next } = notesOf(name)
  if ((await namesIn(folder)).includes(before)) {
    await rename(join(folder, before), join(folder, name))
  }
  await rm(join(folder, next), { force: true })
  await syncFolder(folder)
}

/** The new value has proven itself: the one of before goes. */
export async function forgetOldSecret(
  { options }: Context,
  id: string,
  name: string,
): Promise<void> {
  const folder = secretFolder(options, id)
  await rm(join(folder, notesOf(name).before), { force: true })
  await syncFolder(folder)
}

function notesOf(name: string): { readonly before: string; readonly next: string } {
  return { before: `.${name}.before`, next: `.${name}.next` }
}
