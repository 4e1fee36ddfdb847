/** Whether the apps that an app needs are as they must be before it starts. Nothing here ever starts another app. */

import { componentStatus, isHealthy, type Observed } from './component-status.ts'
import type { Context } from './context.ts'
import { observeApp, type Snapshot, takeSnapshot } from './observe.ts'
import { type AppRecord, readRecord } from './record.ts'
import type { AppSpec } from './spec.ts'
import { isInRange } from './versions.ts'

type Need = AppSpec['needs'][number]

/** The first need that is not met, as a sentence; `undefined` when it may start. @throws HostError */
export async function unmetNeed(
  context: Context,
  spec: AppSpec,
  seen?: Snapshot,
): Promise<string | undefined> {
  for (const need of spec.needs) {
    if (need.isOptional) continue
    const provider = await readRecord(context, need.app)
    const missing = unmetByRecord(need, provider)
    if (missing !== undefined) return missing
    const theirs = provider?.committed?.spec
    if (theirs === undefined || need.gate === 'installed') continue
    const snapshot = seen ?? (await takeSnapshot(context, [theirs]))
    const reason = unmetByState(need, theirs, await observeApp(context, theirs, snapshot))
    if (reason !== undefined) return reason
  }
  return undefined
}

/** Remembers why when it may not; the reconciler starts it once it may. @throws HostError */
export async function mayStart(context: Context, spec: AppSpec): Promise<boolean> {
  const unmet = await unmetNeed(context, spec)
  if (unmet === undefined) context.blocked.delete(spec.id)
  else context.blocked.set(spec.id, unmet)
  return unmet === undefined
}

/** Pure. */
export function unmetByRecord(need: Need, provider: AppRecord | undefined): string | undefined {
  const theirs = provider?.retained === true ? undefined : provider?.committed?.spec
  if (theirs === undefined) return `it needs ${need.app}, which is not installed`
  const offered = theirs.provides.find(({ name }) => name === need.export)
  if (offered === undefined) {
    return `it needs ${need.export} of ${need.app}, which ${need.app} ${theirs.version} does not provide`
  }
  if (need.versions !== undefined && !isInRange(offered.version, need.versions)) {
    return `it needs ${need.app} ${need.versions}, and ${offered.version} is installed`
  }
  const isStopped = provider?.desired === 'stopped' && need.gate !== 'installed'
  return isStopped ? `it needs ${need.app}, which its owner stopped` : undefined
}

/** Pure. */
export function unmetByState(
  { app, gate }: Need,
  theirs: AppSpec,
  observed: Observed,
): string | undefined {
  const isRunning = theirs.components.every(
    component => componentStatus(component, observed).state === 'running',
  )
  if (!isRunning) return `it needs ${app}, which does not run`
  if (gate === 'healthy' && !isHealthy(theirs, observed)) {
    return `it needs ${app}, which is not healthy yet`
  }
  return undefined
}

/** Installed apps that should run and need this one. Pure. */
export function dependentsOf(id: string, records: readonly AppRecord[]): readonly string[] {
  return records
    .filter(({ committed, retained, desired }) => {
      const needs = retained || desired === 'stopped' ? [] : (committed?.spec.needs ?? [])
      return needs.some(({ app, isOptional }) => app === id && !isOptional)
    })
    .map(record => record.id)
}
