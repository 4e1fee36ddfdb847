/** Repeats work at an interval until it is closed; a failure is logged and does not end the loop. */
import type { Clock } from './core/clock.ts'
import { messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'

export interface Loop {
  close(): Promise<void>
}

interface Deps {
  readonly clock: Clock
  readonly log: Log
}

/** Runs `work` at once and then `intervalMs` after each end of it. `close` aborts and waits for the run under way. */
export function every(
  { clock, log }: Deps,
  intervalMs: number,
  work: (signal: AbortSignal) => Promise<void>,
): Loop {
  const abort = new AbortController()
  const { signal } = abort
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await work(signal).catch(error => {
        if (!signal.aborted) log.error('periodic work failed', { reason: messageOf(error) })
      })
      await clock.sleep(intervalMs, signal).catch(() => {
        // Only the abort of `close` ends the sleep early; the condition of the loop sees it.
      })
    }
  }
  const done = run()
  return {
    async close() {
      abort.abort(new Error('the node stops'))
      await done
    },
  }
}
