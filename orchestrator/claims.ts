/** What the installed apps of a state folder claim of the machine, read without a running node. */
import { codeOf } from '../src/core/errors.ts'
import { stopDeadlineMs } from './deadlines.ts'
import { readRecord, recordIds } from './record.ts'
import { shownGeneration } from './status.ts'

export interface AppClaim {
  readonly id: string
  /** Also of an app that is stopped: nobody else gets its ports. */
  readonly ports: readonly { readonly host: number; readonly protocol: 'tcp' | 'udp' }[]
  /** How long the app may take to stop: its longest chain of graces, and a margin. */
  readonly stopDeadlineMs: number
}

/** None when there is no record yet. @throws OrchestratorError `RECORD_MALFORMED` */
export async function readClaims(stateFolder: string): Promise<readonly AppClaim[]> {
  const context = { options: { stateFolder } }
  const claims: AppClaim[] = []
  for (const id of await idsOrNone(context)) {
    const record = await readRecord(context, id)
    const spec = record === undefined ? undefined : shownGeneration(record)?.spec
    if (spec === undefined) continue
    const ports = spec.ports.map(({ host, protocol }) => ({ host, protocol }))
    claims.push({ id, ports, stopDeadlineMs: stopDeadlineMs(spec) })
  }
  return claims
}

async function idsOrNone(context: Parameters<typeof recordIds>[0]): Promise<readonly string[]> {
  try {
    return await recordIds(context)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
