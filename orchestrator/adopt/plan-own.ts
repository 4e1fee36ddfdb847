/** Plans to claim units of this node whose record was lost. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseTemplate } from '../../catalog/index.ts'
import { codeOf } from '../../src/core/errors.ts'
import { pathExists } from '../../src/core/files.ts'
import type { Context } from '../context.ts'
import { secretName, targetUnit } from '../names.ts'
import { emptyRecord, type Generation } from '../record.ts'
import { enabledTargets } from '../unit-store.ts'
import { readUnit, type UnitFile, valuesOf } from '../units/file.ts'
import { type Known, learnSecrets } from './learn-secrets.ts'
import { readOwnUnits } from './own-units.ts'
import { type Described, type Plan, refused } from './plan.ts'

/** `undefined` when there are no such units. @throws OrchestratorError `ADOPTION_REFUSED` when a secret cannot be found */
export async function planOwn(context: Context, release: Described): Promise<Plan | undefined> {
  const { deps, options } = context
  const { manifest, entry } = release
  const target = await unitFile(options.userUnitFolder, targetUnit(manifest.id))
  if (target === undefined) return undefined
  const names = (await readdir(options.unitFolder)).filter(name =>
    name.startsWith(`app-${manifest.id}`),
  )
  const files = await Promise.all(names.map(name => unitFile(options.unitFolder, name)))
  const all = await deps.podman.inspectAll()
  const manifestDigests = new Map<string, string>()
  for (const name of await deps.podman.imageNames()) {
    const image = await deps.podman.image(name)
    if (image !== undefined) manifestDigests.set(image.id, image.manifestDigest)
  }
  const quadlet = files.filter(file => file !== undefined)
  const areFilesThere = await hasFiles(quadlet, options.stateFolder)
  const units = { quadlet, target, manifestDigests, areFilesThere }
  const generation = readOwnUnits({ manifest, entry, ...units })
  if (generation === undefined) return undefined
  const { values, problems } = learnSecrets(manifest, await knownFromPodman(context, release))
  if (problems.length > 0) throw refused(manifest.id, problems)
  const containers = all.filter(({ labels }) => labels['app.id'] === manifest.id)
  const isRunning = containers.some(({ status }) => status === 'running')
  const desired =
    isRunning || (await enabledTargets(options)).has(target.name) ? 'running' : 'stopped'
  return {
    record: {
      ...emptyRecord(manifest.id, manifest.title),
      ...{ desired, lastGeneration: generation.number, committed: generation },
    },
    secrets: values,
    pins: [],
    report: {
      ...{ app: manifest.id, version: generation.spec.version, kind: 'own', desired, pins: [] },
      containers: containers.map(({ name, labels }) => ({
        component: labels['app.component'] ?? '',
        ...{ name, unit: labels.PODMAN_SYSTEMD_UNIT },
      })),
      secrets: [...values.keys()],
      findings: [],
    },
  }
}

/** What the units mount out of the state folder. */
async function hasFiles(quadlet: readonly UnitFile[], stateFolder: string): Promise<boolean> {
  const sources = quadlet
    .filter(({ name }) => name.endsWith('.container'))
    .flatMap(({ text }) => valuesOf(readUnit(text), 'Container', 'Volume'))
    .map(value => value.split(':')[0] ?? '')
    .filter(source => source.startsWith(`${stateFolder}/`))
  const found = await Promise.all(sources.map(pathExists))
  return !found.includes(false)
}

async function unitFile(folder: string, name: string): Promise<Generation['target'] | undefined> {
  try {
    return { name, text: await readFile(join(folder, name), 'utf8') }
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}

/** Podman still has the secrets of units of ours; their names follow from the templates. */
async function knownFromPodman({ deps }: Context, { manifest }: Described): Promise<Known> {
  const value = (template: string): Promise<string | undefined> =>
    deps.podman.secretValue(secretName(manifest.id, template))
  const env = new Map<string, Map<string, string>>()
  const files = new Map<string, string>()
  for (const [component, each] of Object.entries(manifest.components)) {
    const known = new Map<string, string>()
    for (const [key, template] of Object.entries(each.env)) {
      const found = hasSecret(template) ? await value(template) : undefined
      if (found !== undefined) known.set(key, found)
    }
    env.set(component, known)
    for (const { secret, path } of each.secretFiles) {
      const found = await value(`\${secrets.${secret}}`)
      if (found !== undefined) files.set(`${component} ${path}`, found)
    }
  }
  return { env, files }
}

function hasSecret(template: string): boolean {
  return parseTemplate(template).some(({ kind }) => kind === 'secret')
}
