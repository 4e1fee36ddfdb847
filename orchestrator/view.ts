/** How apps are, for people and for the API: records joined with one look at the host. */
import { messageOf } from '../src/core/errors.ts'
import { appFindings } from './app-findings.ts'
import type { Observed } from './component-status.ts'
import type { Context } from './context.ts'
import { operationDeadlineMs } from './deadlines.ts'
import { isHeld } from './hold.ts'
import { dependentsOf } from './needs.ts'
import { observeApp, type Snapshot, takeSnapshot } from './observe.ts'
import { type AppRecord, readAllRecords, readRecords, requireRecord } from './record.ts'
import { type AppStatus, appStatus, type Circumstances, shownGeneration } from './status.ts'

export interface Viewer {
  app(id: string): Promise<AppStatus>
  apps(): Promise<readonly AppStatus[]>
  logs(id: string, lines: number): Promise<readonly { component: string; text: string }[]>
}

const RENDER_NOTE = 'units rendered and checked; this node does not start them (render mode)'
const NOTHING_SEEN: Observed = { units: new Map(), containers: [], answering: new Set() }

/** Remembers what it saw last, for the time when the host does not answer. */
export function createViewer(context: Context): Viewer {
  const { deps, options } = context
  const lastSeen = new Map<string, AppStatus>()

  async function view(records: readonly AppRecord[], all = records): Promise<readonly AppStatus[]> {
    if (options.mode === 'render') return records.map(renderStatus)
    const specs = records.flatMap(record => shownGeneration(record)?.spec ?? [])
    try {
      const snapshot = await takeSnapshot(context, specs)
      const seen = await Promise.all(records.map(record => look(context, record, snapshot, all)))
      for (const status of seen) lastSeen.set(status.id, status)
      return seen
    } catch (error) {
      deps.log.warn('the host did not answer; showing what was known last', {
        reason: messageOf(error),
      })
      return records.map(record => ({
        ...(lastSeen.get(record.id) ?? neverSeen(record)),
        isStale: true,
      }))
    }
  }

  return {
    async app(id) {
      const record = await requireRecord(context, id)
      const [status] = await view([record], await readRecords(context))
      return status ?? neverSeen(record)
    },
    async apps() {
      const { records, damaged } = await readAllRecords(context)
      const seen = await view(records)
      const all = [...seen, ...damaged.map(each => damagedStatus(context, each))]
      return all.sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    async logs(id, lines) {
      const spec = shownGeneration(await requireRecord(context, id))?.spec
      const reads = (spec?.components ?? []).map(async ({ name, unit }) => ({
        component: name,
        text: await deps.systemd.logs(unit, lines),
      }))
      return await Promise.all(reads)
    },
  }
}

async function look(
  context: Context,
  record: AppRecord,
  snapshot: Snapshot,
  all: readonly AppRecord[],
): Promise<AppStatus> {
  const { id } = record
  const spec = shownGeneration(record)?.spec
  const observed = spec === undefined ? NOTHING_SEEN : await observeApp(context, spec, snapshot)
  const circumstances = { ...operationOf(context, record), blockedBy: context.blocked.get(id) }
  const { components } = appStatus(record, observed, circumstances)
  const facts = {
    ...{ ...circumstances, components, neededBy: dependentsOf(id, all) },
    isHeld: await isHeld(context.options, id),
  }
  context.findings.report(`look at ${id}`, appFindings(record, facts))
  return appStatus(record, observed, { ...circumstances, findings: context.findings.of(id) })
}

function operationOf(
  { underWay, stuck, deps }: Context,
  record: AppRecord,
): Pick<Circumstances, 'operation'> {
  if (record.operation === undefined) return {}
  const startedMs = underWay.get(record.id)
  if (startedMs === undefined) return { operation: stuck.has(record.id) ? 'waiting' : 'under-way' }
  const ageMs = deps.clock.monotonicMs() - startedMs
  return { operation: ageMs > operationDeadlineMs(record) ? 'overdue' : 'under-way' }
}

/** Before the host answered for the first time nobody knows more than what the owner wants. */
function neverSeen(record: AppRecord): AppStatus {
  const status = appStatus(record, NOTHING_SEEN)
  const isUnknown = status.state === 'failed' && record.committed !== undefined
  return isUnknown ? { ...status, state: 'starting' } : status
}

/** Left alone, and never taken for an app that is not installed. */
function damagedStatus(
  { findings }: Context,
  { id, reason }: { id: string; reason: string },
): AppStatus {
  return {
    ...{ id, title: id, version: '', seq: 0, state: 'failed', health: 'unknown' },
    ...{ desired: 'running', components: [], ports: [], interfaces: [], isStale: false },
    findings: findings.of(id),
    error: { code: 'RECORD_MALFORMED', message: reason },
  }
}

function renderStatus(record: AppRecord): AppStatus {
  const status = appStatus({ ...record, desired: 'stopped' }, NOTHING_SEEN, { note: RENDER_NOTE })
  return { ...status, desired: record.desired }
}
