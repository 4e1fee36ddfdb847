/** Secrets of an app: made once, kept for ever, given to Podman and to nobody else. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AppManifest, parseTemplate } from '../catalog/index.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import { type Context, secretFolder } from './context.ts'
import { secretName } from './names.ts'
import { generateSecret } from './secret-value.ts'
import { secretTemplates } from './units/app-values.ts'
import type { Values } from './units/values.ts'

const SECRET_BYTES_MAX = 4096

/**
 * Makes what is missing, here and in Podman. A value that exists is never changed: the app's data was made with it.
 * A Podman secret of an earlier life of this node, under our name but with a value we no longer know, is replaced.
 */
export async function provideSecrets(
  context: Context,
  manifest: AppManifest,
  given: Values,
): Promise<void> {
  const { values, made } = await keepSecrets(context, manifest)
  if (context.options.mode === 'render') return
  const { podman } = context.deps
  const present = new Set(await podman.secretNames())
  for (const template of secretTemplates(manifest, given)) {
    const parts = parseTemplate(template)
    const name = secretName(manifest.id, template)
    const isNew = parts.some(part => part.kind === 'secret' && made.has(part.name))
    if (present.has(name) && !isNew) continue
    const value = parts
      .map(part => {
        if (part.kind === 'literal') return part.text
        return part.kind === 'secret' ? (values.get(part.name) ?? '') : ''
      })
      .join('')
    await podman.createSecret(name, Buffer.from(value, 'utf8'))
  }
}

async function keepSecrets(
  context: Context,
  manifest: AppManifest,
): Promise<{ values: ReadonlyMap<string, string>; made: ReadonlySet<string> }> {
  const folder = secretFolder(context.options, manifest.id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const values = new Map<string, string>()
  const made = new Set<string>()
  for (const [name, { generate }] of Object.entries(manifest.secrets)) {
    const path = join(folder, name)
    const kept = await readFileBounded(path, SECRET_BYTES_MAX)
    if (kept !== undefined) {
      values.set(name, Buffer.from(kept).toString('utf8'))
      continue
    }
    const value = generateSecret(generate.kind, generate.length, context.deps.randomBytes)
    await writeFileAtomic(path, value, { mode: 0o600 })
    values.set(name, value)
    made.add(name)
  }
  return { values, made }
}
