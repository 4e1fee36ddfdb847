/** The owner's verbs on an app that runs in containers of somebody else. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from '../../src/core/files.ts'
import { type Context, recordFolder } from '../context.ts'
import { OrchestratorError } from '../errors.ts'
import { type AppRecord, problemOf, withoutProblem, writeRecord } from '../record.ts'
import type { AppSpec } from '../spec.ts'
import type { Work } from '../switch.ts'
import type { Adopted } from './adopted.ts'
import { startAdopted, stopAdopted } from './run-adopted.ts'

export interface Foreign {
  readonly spec: AppSpec
  readonly adopted: Adopted
}

/** What an adopted app consists of; `undefined` for every other app. */
export function foreignOf({ adopted, committed }: AppRecord): Foreign | undefined {
  if (adopted === undefined || committed === undefined) return undefined
  return { adopted, spec: committed.spec }
}

export async function startForeign(
  context: Context,
  record: AppRecord,
  { spec, adopted }: Foreign,
): Promise<void> {
  await change(context, record, 'start', () => startAdopted(context, spec, adopted))
}

/** @throws OrchestratorError `APP_ADOPTED` for a container that would be gone afterwards */
export async function stopForeign(
  context: Context,
  record: AppRecord,
  { spec, adopted }: Foreign,
  { signal }: Work,
): Promise<void> {
  const fleeting = adopted.containers.filter(
    ({ unit, doesRemoveItself }) => unit === undefined && doesRemoveItself,
  )
  if (fleeting.length > 0) {
    throw new OrchestratorError(
      'APP_ADOPTED',
      `${fleeting.map(({ name }) => name).join(', ')} was started with --rm: once stopped it is gone. Stop it yourself, start it without --rm, and adopt it again`,
    )
  }
  await change(context, record, 'stop', () => stopAdopted(context, spec, adopted, signal))
}

/** The owner's will is on disk first, as for every app. */
async function change(
  context: Context,
  record: AppRecord,
  kind: 'start' | 'stop',
  act: () => Promise<void>,
): Promise<void> {
  const { operation: _, ...before } = withoutProblem(record)
  const wanted: AppRecord = { ...before, desired: kind === 'start' ? 'running' : 'stopped' }
  const startedMs = context.deps.clock.nowMs()
  await writeRecord(context, { ...wanted, operation: { kind, startedMs } })
  try {
    await act()
  } catch (error) {
    await writeRecord(context, { ...wanted, problem: problemOf(error) })
    throw error
  }
  await writeRecord(context, wanted)
}

/** @throws OrchestratorError `APP_ADOPTED` for everything that would replace or remove what others made */
export function assertOurs({ id, adopted }: AppRecord, what: string): void {
  if (adopted === undefined) return
  throw new OrchestratorError(
    'APP_ADOPTED',
    `${id} runs in containers that this node did not make, so it is not ${what}; first "archy app take-over ${id}", or leave it to whoever made it: "archy app adopt ${id} --undo"`,
  )
}

/**
 * The node knows nothing of the app any more; containers, data and secrets stay as they are.
 * @throws OrchestratorError `ADOPTION_REFUSED` for an app that is not adopted
 */
export async function letGo({ options, deps }: Context, record: AppRecord): Promise<void> {
  if (record.adopted === undefined || record.operation !== undefined) {
    throw new OrchestratorError(
      'ADOPTION_REFUSED',
      `${record.id} does not run in containers of somebody else; "archy app uninstall" removes it`,
    )
  }
  await rm(join(recordFolder(options), `${record.id}.json`))
  await syncFolder(recordFolder(options))
  deps.log.info('adopted app let go', { app: record.id })
}
