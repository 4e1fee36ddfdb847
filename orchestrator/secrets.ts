/** Secrets of an app: made once, kept for ever, given to Podman and to nobody else. */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type AppManifest, parseTemplate } from '../catalog/index.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import type { AppFacts } from './app-facts.ts'
import { type Context, secretFolder } from './context.ts'
import { fillSecrets } from './fill-secrets.ts'
import { secretName } from './names.ts'
import { readSecrets, writeSecret } from './secret-files.ts'
import { generateSecret } from './secret-value.ts'
import { secretTemplates } from './units/app-values.ts'

/** A hash and a name for each secret of an app. */
const GIVEN_BYTES_MAX = 2 ** 20
/** What Podman was given last, by name, as hashes: a value that changed since is given again. No secret has such a name. */
const GIVEN_FILE = '.given.json'

/**
 * Makes what is missing, here and in Podman. A value that exists is never changed: the app's data was made with it.
 * A value that only Podman still has, because this folder was lost, is taken from there.
 */
export async function provideSecrets(
  context: Context,
  manifest: AppManifest,
  facts: AppFacts,
): Promise<void> {
  await keepSecrets(context, manifest, facts)
  if (context.options.mode === 'systemd') await giveSecrets(context, manifest, facts)
}

/** Gives Podman every value that it does not have as it is now. */
export async function giveSecrets(
  context: Context,
  manifest: AppManifest,
  { values, foreignSecrets }: AppFacts,
): Promise<void> {
  const { podman } = context.deps
  const own = await readSecrets(context, manifest.id)
  const present = new Set(await podman.secretNames())
  const given = { ...(await readGiven(context, manifest.id)) }
  const wanted = secretTemplates(manifest, values).map(template => {
    const value = fillSecrets(template, own, foreignSecrets)
    const hash = createHash('sha256').update(value).digest('hex')
    return { name: secretName(manifest.id, template), value, hash }
  })
  const isThere = async ({ name, value, hash }: (typeof wanted)[number]): Promise<boolean> => {
    if (!present.has(name)) return false
    return given[name] === undefined
      ? (await podman.secretValue(name)) === value
      : given[name] === hash
  }
  for (const secret of wanted) {
    if (await isThere(secret)) continue
    const { name, value, hash } = secret
    // Until it is given nothing is known of it: a crash between the two must not leave the old value for good.
    delete given[name]
    await writeGiven(context, manifest.id, given)
    await podman.createSecret(name, Buffer.from(value, 'utf8'))
    given[name] = hash
    await writeGiven(context, manifest.id, given)
  }
}

async function keepSecrets(
  context: Context,
  manifest: AppManifest,
  facts: AppFacts,
): Promise<void> {
  const folder = secretFolder(context.options, manifest.id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const kept = await readSecrets(context, manifest.id)
  const missing = Object.entries(manifest.secrets).filter(([name]) => !kept.has(name))
  if (missing.length === 0) return
  const known = await valuesInPodman(context, manifest, facts)
  for (const [name, { generate }] of missing) {
    const { kind, length } = generate
    const value = known.get(name) ?? generateSecret(kind, length, context.deps.randomBytes)
    await writeSecret(context, manifest.id, name, value)
  }
}

/** Values of single secrets that Podman still holds under our names. */
async function valuesInPodman(
  { deps, options }: Context,
  manifest: AppManifest,
  { values }: AppFacts,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  if (options.mode === 'render') return found
  const present = new Set(await deps.podman.secretNames())
  for (const template of secretTemplates(manifest, values)) {
    const name = secretName(manifest.id, template)
    if (!present.has(name)) continue
    const value = await deps.podman.secretValue(name)
    const secret = value === undefined ? undefined : secretInside(template, value)
    if (secret !== undefined) found.set(secret.name, secret.value)
  }
  return found
}

/** The value of the one secret in a template, from the template filled in. Pure. */
export function secretInside(
  template: string,
  filled: string,
): { readonly name: string; readonly value: string } | undefined {
  const parts = parseTemplate(template)
  const index = parts.findIndex(part => part.kind === 'secret')
  const secret = parts[index]
  const others = parts.filter((_, place) => place !== index)
  if (secret?.kind !== 'secret' || others.some(part => part.kind !== 'literal')) return undefined
  const text = (from: number, to?: number): string =>
    parts
      .slice(from, to)
      .map(part => (part.kind === 'literal' ? part.text : ''))
      .join('')
  const [before, after] = [text(0, index), text(index + 1)]
  const isWhole = filled.length > before.length + after.length
  if (!isWhole || !filled.startsWith(before) || !filled.endsWith(after)) return undefined
  return { name: secret.name, value: filled.slice(before.length, filled.length - after.length) }
}

async function writeGiven(
  { options }: Context,
  id: string,
  given: Readonly<Record<string, string>>,
): Promise<void> {
  const path = join(secretFolder(options, id), GIVEN_FILE)
  await writeFileAtomic(path, JSON.stringify(given), { mode: 0o600 })
}

async function readGiven(
  { options }: Context,
  id: string,
): Promise<Readonly<Record<string, string>>> {
  const bytes = await readFileBounded(join(secretFolder(options, id), GIVEN_FILE), GIVEN_BYTES_MAX)
  if (bytes === undefined) return {}
  return z.record(z.string(), z.string()).parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
}
