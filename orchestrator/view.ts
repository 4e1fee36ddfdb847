/** How apps are, for people and for the API: records joined with one look at the host. */
import { messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import { observeApp, type Snapshot, takeSnapshot } from './observe.ts'
import { type AppRecord, readRecords, requireRecord } from './record.ts'
import { type AppStatus, appStatus, type Observed, shownGeneration } from './status.ts'

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

  async function view(records: readonly AppRecord[]): Promise<readonly AppStatus[]> {
    if (options.mode === 'render') return records.map(renderStatus)
    const specs = records.flatMap(record => shownGeneration(record)?.spec ?? [])
    try {
      const snapshot = await takeSnapshot(context, specs)
      const seen = await Promise.all(records.map(record => look(context, record, snapshot)))
      for (const status of seen) lastSeen.set(status.id, status)
      return seen
    } catch (error) {
      deps.log.warn('the host did not answer; showing what was known last', {
        reason: messageOf(error),
      })
      return records.map(record => ({
        ...(lastSeen.get(record.id) ?? appStatus(record, NOTHING_SEEN)),
        isStale: true,
      }))
    }
  }

  return {
    async app(id) {
      const record = await requireRecord(context, id)
      const [status] = await view([record])
      return status ?? appStatus(record, NOTHING_SEEN)
    },
    apps: async () => await view(await readRecords(context)),
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

async function look(context: Context, record: AppRecord, snapshot: Snapshot): Promise<AppStatus> {
  const spec = shownGeneration(record)?.spec
  return appStatus(
    record,
    spec === undefined ? NOTHING_SEEN : await observeApp(context, spec, snapshot),
  )
}

function renderStatus(record: AppRecord): AppStatus {
  const status = appStatus({ ...record, desired: 'stopped' }, NOTHING_SEEN, RENDER_NOTE)
  return { ...status, desired: record.desired }
}
