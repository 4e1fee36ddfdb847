/** What the swarm does, event by event: for drawings, for tests, and for whoever asks what happened here. Off by default. */
import { appendFile, rename, stat } from 'node:fs/promises'
import type { Clock } from '../src/core/clock.ts'
import type { Digest } from '../src/core/digest.ts'
import { codeOf, messageOf } from '../src/core/errors.ts'
import type { Log, LogFields } from '../src/core/log.ts'
import type { Bitfield } from './bitfield.ts'
import { TRACE_BYTES_MAX, TRACE_QUEUE_BYTES_MAX } from './limits.ts'
import type { Session, SessionEvent } from './transfer/session.ts'

export interface Trace extends AsyncDisposable {
  /** `undefined`: nobody listens, so that nothing has to be made of an event. */
  readonly note: ((event: string, fields: LogFields) => void) | undefined
}

export const noTrace: Trace = { note: undefined, [Symbol.asyncDispose]: async () => {} }

/**
 * One JSON line for each event: `ms` since the node started, `event`, and its fields. A file that grows too long goes on
 * under the same name; the one before is kept as `<file>.1`. What cannot be written in time is left out and counted.
 */
export function openTrace({ clock, log }: { clock: Clock; log: Log }, file: string): Trace {
  const startedMs = clock.monotonicMs()
  let queue = ''
  let lostCount = 0
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    while (queue !== '') {
      const lines = queue
      queue = ''
      await makeRoom(file)
      await appendFile(file, lines, { mode: 0o600 })
    }
  }
  const flush = (): Promise<void> => {
    writing ??= write()
      .catch((error: unknown) => log.warn('trace not written', { file, reason: messageOf(error) }))
      .finally(() => {
        writing = undefined
      })
    return writing
  }
  return {
    note(event, fields) {
      if (queue.length > TRACE_QUEUE_BYTES_MAX) {
        lostCount += 1
        return
      }
      const ms = Math.round(clock.monotonicMs() - startedMs)
      const lost = lostCount === 0 ? {} : { lostBefore: lostCount }
      lostCount = 0
      queue += `${JSON.stringify({ ms, event, ...fields, ...lost })}\n`
      void flush()
    },
    [Symbol.asyncDispose]: () => flush(),
  }
}

async function makeRoom(file: string): Promise<void> {
  try {
    if ((await stat(file)).size > TRACE_BYTES_MAX) await rename(file, `${file}.1`)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Tells everything that a session is told and decides, but for bytes as they come in and the ticking of its clock. */
export function traced(session: Session, { note }: Trace, blob: Digest): Session {
  if (note === undefined) return session
  return {
    ...session,
    handle(event, nowMs, budgetBytes) {
      const actions = session.handle(event, nowMs, budgetBytes)
      if (event.kind !== 'received' && event.kind !== 'tick') {
        const { kind, ...fields } = event
        note(kind, { blob, ...fields, ...piecesOf(event) })
      }
      for (const { kind, ...fields } of actions) note(kind, { blob, ...fields })
      return actions
    },
  }
}

/** A set of pieces as how many they are: a line stays short. */
function piecesOf(event: SessionEvent): LogFields {
  if (event.kind !== 'holds' && event.kind !== 'withheld') return {}
  const { pieces } = event
  return isField(pieces) ? { pieces: pieces.count } : { pieces }
}

function isField(pieces: unknown): pieces is Bitfield {
  return typeof pieces === 'object' && pieces !== null && 'count' in pieces
}
