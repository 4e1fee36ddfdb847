/**
 * What the references of one app stand for on this machine: its settings, the machine, and what other apps provide.
 * Secrets are kept apart from the rest all the way: they only ever meet in a Podman secret.
 */
import type { AppManifest } from '../catalog/index.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { fillSecrets } from './fill-secrets.ts'
import { manifestOf } from './manifests.ts'
import { type AppRecord, readRecord, recordIds } from './record.ts'
import { readSecrets } from './secret-files.ts'
import { type Settings, settingsInForce } from './settings.ts'
import { providedValues } from './units/app-values.ts'
import { absentNeed, type Values } from './units/values.ts'

export interface AppFacts {
  /** Everything that is no secret, by reference. */
  readonly values: Values
  /** Secrets of the apps that this one needs, by reference: `needs.db.password`. */
  readonly foreignSecrets: ReadonlyMap<string, string>
}

/** Apps that need apps that need apps: no real one goes deeper, and a circle ends here. */
const DEPTH_MAX = 8

/**
 * @throws OrchestratorError `SETTING_INVALID`, `VALUE_MISSING` when an app that is needed is not installed or does not
 * provide what is asked of it
 */
export async function appFacts(
  context: Context,
  manifest: AppManifest,
  owner: Settings,
  depth = 0,
): Promise<AppFacts> {
  const { hostname, timezone, lanAddress } = context.deps.machine()
  const settings = settingsInForce(manifest.id, manifest.config, owner)
  const values = new Map([
    ...Object.entries(settings).map(([name, value]) => [`config.${name}`, value] as const),
    ['node.hostname', hostname],
    ['node.tz', timezone],
    ['node.lan-address', lanAddress],
  ])
  const foreignSecrets = new Map<string, string>()
  for (const [alias, need] of Object.entries(manifest.needs)) {
    const provider = await providerOf(context, need.app)
    if (provider === undefined || depth >= DEPTH_MAX) {
      if (!need.optional) throw missing(manifest.id, need.app, need.export)
      values.set(absentNeed(alias), '')
      continue
    }
    const provided = await valuesOf(context, provider, need.export, depth)
    if (provided === undefined) throw missing(manifest.id, need.app, need.export)
    for (const [key, { text, isSecret }] of provided) {
      if (isSecret) foreignSecrets.set(`needs.${alias}.${key}`, text)
      else values.set(`needs.${alias}.${key}`, text)
    }
  }
  return { values, foreignSecrets }
}

interface ProvidedText {
  readonly text: string
  readonly isSecret: boolean
}

async function providerOf(context: Context, id: string): Promise<AppRecord | undefined> {
  if (!(await recordIds(context)).includes(id)) return undefined
  const record = await readRecord(context, id)
  return record?.committed === undefined ? undefined : record
}

async function valuesOf(
  context: Context,
  { id, committed, config = {} }: AppRecord,
  entry: string,
  depth: number,
): Promise<ReadonlyMap<string, ProvidedText> | undefined> {
  if (committed === undefined) return undefined
  const manifest = await manifestOf(context, id, committed)
  if (!Object.hasOwn(manifest.provides, entry)) return undefined
  const facts = await appFacts(context, manifest, committed.config ?? config, depth + 1)
  const own = await readSecrets(context, id)
  const provided = new Map<string, ProvidedText>()
  for (const [key, value] of providedValues(manifest, entry, facts.values)) {
    const isSecret = value.kind === 'secret'
    const text = isSecret ? fillSecrets(value.template, own, facts.foreignSecrets) : value.text
    provided.set(key, { text, isSecret })
  }
  return provided
}

function missing(id: string, app: string, entry: string): OrchestratorError {
  return new OrchestratorError(
    'VALUE_MISSING',
    `${id} needs "${entry}" of the app ${app}, which is not installed or has no such entry; install ${app} first`,
  )
}
