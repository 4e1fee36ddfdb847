/**
 * Replaces adopted containers by units of this node. The data stays where it is and never has two running programs on it:
 * the old ones are stopped and renamed before the new ones start, and the new ones are gone before the old ones come back.
 */
import { access, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { VerifiedRelease } from '../../catalog/index.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import { syncFolder } from '../../src/core/files.ts'
import type { Context } from '../context.ts'
import { OrchestratorError } from '../errors.ts'
import { type Journal, openJournal, putOperation } from '../journal.ts'
import { makeNext } from '../next-generation.ts'
import { prepareGeneration } from '../prepare.ts'
import {
  type AppRecord,
  type Generation,
  problemOf,
  withoutProblem,
  writeRecord,
} from '../record.ts'
import { removeNetworks, startApp, stopApp } from '../run-app.ts'
import type { AppSpec } from '../spec.ts'
import type { Work } from '../switch.ts'
import { enableTarget, installUnits, removeUnits } from '../unit-store.ts'
import { type Adopted, asideName } from './adopted.ts'
import { startAdopted, stopAdopted } from './run-adopted.ts'

/** How long the old containers stay, in case something is missed later. */
const ASIDE_MS = 7 * 86_400_000
const NO_RESTART = 'no'

/** @throws OrchestratorError `TAKE_OVER_REFUSED` before anything moved; `TAKE_OVER_FAILED` once all is as before */
export async function takeOver(
  context: Context,
  record: AppRecord,
  others: readonly AppRecord[],
  release: VerifiedRelease,
  work: Work,
): Promise<void> {
  const { adopted } = record
  if (adopted === undefined) {
    throw new OrchestratorError(
      'TAKE_OVER_REFUSED',
      `${record.id} does not run in containers of somebody else; there is nothing to take over`,
    )
  }
  const fleeting = adopted.containers.filter(
    each => each.unit === undefined && each.doesRemoveItself,
  )
  if (fleeting.length > 0) {
    throw new OrchestratorError(
      'TAKE_OVER_REFUSED',
      `${fleeting.map(({ name }) => name).join(', ')} was started with --rm and would be gone once it ends, without a way back; start it without --rm first`,
    )
  }
  const next = await makeNext(context, withoutProblem(record), work.signal, journal =>
    prepareGeneration(context, { release, record: journal.record, others, ...work }),
  )
  const { to, startedMs } = next
  const operation = { kind: 'take-over', to, startedMs, isGoingBack: false } as const
  await resumeTakeOver(context, { ...next.record, operation }, work)
}

/** Each step may be done again: a crash in the middle goes on in the direction in which it went. */
export async function resumeTakeOver(
  context: Context,
  record: AppRecord,
  work: Work,
): Promise<void> {
  const { operation, adopted, committed } = record
  if (operation?.kind !== 'take-over' || adopted === undefined || committed === undefined) return
  const { to } = operation
  const journal = await openJournal(context, record)
  if (!operation.isGoingBack) {
    try {
      work.onProgress('stopping what ran so far')
      await putAside(context, committed, adopted, work)
      await putInPlace(context, record, to, work)
      await finish(context, journal, to)
      return
    } catch (error) {
      work.signal.throwIfAborted()
      context.deps.log.warn('take-over failed; going back', {
        app: record.id,
        reason: messageOf(error),
      })
      const isGoingBack = true
      await putOperation(journal, 'take-over', { isGoingBack, reason: messageOf(error) })
    }
  }
  await goBack(context, journal, to, work)
}

/** From here until `finish` no start of the machine starts the old containers: exactly one side can. */
async function putAside(
  context: Context,
  { spec }: Generation,
  adopted: Adopted,
  { signal }: Work,
): Promise<void> {
  const { podman, systemd } = context.deps
  const names = await containerNames(context)
  // What was renamed before a crash is done; a container of its old name is not the one that was adopted.
  const bare = adopted.containers.filter(
    ({ name, unit }) => unit === undefined && names.has(name) && !names.has(asideName(name)),
  )
  for (const { name } of bare) await podman.setRestartPolicy(name, NO_RESTART)
  const units = adopted.containers.filter(({ unit }) => unit !== undefined)
  await stopAdopted(context, spec, { ...adopted, containers: [...bare, ...units] }, signal)
  for (const { name } of bare) await podman.renameContainer(name, asideName(name))
  const files = unitFiles(adopted)
  for (const file of files) await move(file, asideName(file))
  if (files.length > 0) await systemd.daemonReload()
}

async function putInPlace(
  context: Context,
  record: AppRecord,
  to: Generation,
  work: Work,
): Promise<void> {
  const { options, deps } = context
  await installUnits(options, to)
  await deps.systemd.daemonReload()
  if (record.desired === 'stopped') return
  await enableTarget(options, record.id)
  work.onProgress('starting')
  await startApp(context, to.spec, work.signal, to.terms?.healthyForMs ?? 0)
}

async function finish(context: Context, journal: Journal, to: Generation): Promise<void> {
  const { operation: _, adopted, ...rest } = journal.record
  const bare = adopted?.containers.filter(({ unit }) => unit === undefined) ?? []
  const untilMs = context.deps.clock.nowMs() + ASIDE_MS
  await journal.put({
    ...rest,
    committed: to,
    ...(bare.length === 0
      ? {}
      : { aside: { names: bare.map(({ name }) => asideName(name)), untilMs } }),
  })
  context.deps.log.info('app taken over', { app: rest.id, version: to.spec.version })
}

/** @throws OrchestratorError `TAKE_OVER_FAILED` always, once what ran before runs again */
async function goBack(
  context: Context,
  journal: Journal,
  to: Generation,
  work: Work,
): Promise<void> {
  const { operation, adopted, committed, ...rest } = journal.record
  if (operation?.kind !== 'take-over' || adopted === undefined || committed === undefined) return
  work.onProgress('going back to what ran before')
  let after = ''
  try {
    await bringBack(context, journal.record, committed.spec, adopted, to, work)
  } catch (error) {
    work.signal.throwIfAborted()
    after = `; but ${messageOf(error)}`
  }
  const failure = new OrchestratorError(
    'TAKE_OVER_FAILED',
    `${rest.id} was not taken over, and runs as before: ${operation.reason ?? 'interrupted'}${after}`,
  )
  await journal.put({ ...rest, adopted, committed, problem: problemOf(failure) })
  throw failure
}

/** The units are gone before the first old container may start, also by itself. */
async function bringBack(
  context: Context,
  { id, desired }: AppRecord,
  spec: AppSpec,
  adopted: Adopted,
  to: Generation,
  { signal }: Work,
): Promise<void> {
  const { podman, systemd } = context.deps
  await stopApp(context, to.spec, signal)
  await removeUnits(context.options, id)
  for (const file of unitFiles(adopted)) await move(asideName(file), file)
  await systemd.daemonReload()
  await removeNetworks(context, to.spec)
  const names = await containerNames(context)
  for (const { name, unit, restartPolicy } of adopted.containers) {
    if (unit !== undefined) continue
    if (names.has(asideName(name)) && !names.has(name)) {
      await podman.renameContainer(asideName(name), name)
    }
    await podman.setRestartPolicy(name, restartPolicy)
  }
  if (desired === 'running') await startAdopted(context, spec, adopted)
}

function unitFiles({ containers }: Adopted): readonly string[] {
  return [...new Set(containers.flatMap(({ unitFile }) => unitFile ?? []))]
}

async function containerNames({ deps }: Context): Promise<ReadonlySet<string>> {
  return new Set((await deps.podman.containers()).map(({ name }) => name))
}

/** Fine when it was moved before. */
async function move(from: string, to: string): Promise<void> {
  try {
    await access(from)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  await rename(from, to)
  await syncFolder(dirname(from))
}

/** Removes at most one container per call whose time is over; its volumes and data stay. */
export async function sweepAside(context: Context, record: AppRecord): Promise<void> {
  const { aside, ...rest } = record
  if (aside === undefined || context.deps.clock.nowMs() < aside.untilMs) return
  const [name, ...others] = aside.names
  if (name !== undefined) {
    context.deps.log.info('removing a container that was taken over', { app: record.id, name })
    await context.deps.podman.removeContainer(name)
  }
  await writeRecord(
    context,
    others.length === 0 ? rest : { ...rest, aside: { ...aside, names: others } },
  )
}
