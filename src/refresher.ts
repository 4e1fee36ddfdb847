/** Asks for a newer catalog and remembers how that went. A failure changes nothing but the status. */
import type { Catalog } from '../catalog/index.ts'
import type { Clock } from './core/clock.ts'
import { codeOf, messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'

export interface RefreshStatus {
  /** When the origin last gave a valid answer. */
  readonly reachedAtMs: number | undefined
  readonly error:
    | { readonly code: string; readonly message: string; readonly sinceMs: number }
    | undefined
}

export interface Refresher {
  /** Refreshes now, or joins the refresh that is under way. A refused catalog is told by `status`, not thrown. */
  refresh(signal?: AbortSignal): Promise<void>
  status(): RefreshStatus
}

interface Deps {
  readonly catalog: Pick<Catalog, 'refresh'>
  readonly clock: Clock
  readonly log: Log
  /** Runs after every attempt, whatever came of it. */
  afterEach(): Promise<void>
}

export function createRefresher({ catalog, clock, log, afterEach }: Deps): Refresher {
  let status: RefreshStatus = { reachedAtMs: undefined, error: undefined }
  let running: Promise<void> | undefined

  const attempt = async (signal: AbortSignal | undefined): Promise<void> => {
    try {
      const outcome = await catalog.refresh(signal)
      status = { reachedAtMs: clock.nowMs(), error: undefined }
      if (outcome === 'updated') log.info('catalog accepted')
    } catch (error) {
      if (signal?.aborted) return
      const code = codeOf(error) ?? 'INTERNAL'
      const sinceMs = status.error?.sinceMs ?? clock.nowMs()
      status = { ...status, error: { code, message: messageOf(error), sinceMs } }
      log.warn('catalog not refreshed', { code, reason: messageOf(error) })
    }
    await afterEach()
  }
  return {
    refresh(signal) {
      running ??= attempt(signal).finally(() => {
        running = undefined
      })
      return running
    },
    status: () => status,
  }
}
