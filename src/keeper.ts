/** Keeps every wanted app at the head of its channel: fetch, hand over, and try again later when that fails. */
import type { Catalog, CatalogEntry, VerifiedRelease } from '../catalog/index.ts'
import type { Orchestrator } from '../orchestrator/index.ts'
import type { Clock } from './core/clock.ts'
import { codeOf, messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'
import type { DeliveryProgress } from './delivery.ts'
import type { Wanted, WantedApp } from './wanted.ts'

/** What the keeper is doing for an app, beside what the orchestrator says of it. */
export interface KeeperState {
  /** `queued`: the owner asked, nothing is known yet. `waiting`: for the catalog, or for the next try. */
  readonly phase: 'idle' | 'queued' | 'fetching' | 'installing' | 'waiting'
  /** The version that is on its way. */
  readonly version?: string
  readonly progress?: DeliveryProgress
  readonly error?: { readonly code: string; readonly message: string; readonly retryAtMs: number }
}

export interface Keeper {
  /** Looks at every wanted app once. Returns at once; work goes on by itself. */
  kick(): void
  /** Looks at one app now, forgetting an earlier failure. */
  kickApp(id: string): void
  state(id: string): KeeperState
  /** Ends what is under way for an app and waits until it has ended. */
  abandon(id: string): Promise<void>
  close(): Promise<void>
}

interface Deps {
  readonly catalog: Pick<Catalog, 'find'>
  readonly orchestrator: Pick<Orchestrator, 'install' | 'apps'>
  readonly wanted: Pick<Wanted, 'list'>
  readonly clock: Clock
  readonly log: Log
  deliver(
    entry: CatalogEntry,
    signal: AbortSignal,
    onProgress: (progress: DeliveryProgress) => void,
  ): Promise<VerifiedRelease>
}

/** First wait after a failure; doubles up to the maximum. A person who fixed the cause can kick the app. */
const RETRY_DELAY_MS = 15_000
const RETRY_DELAY_MS_MAX = 3_600_000

export function createKeeper(deps: Deps): Keeper {
  return new AppKeeper(deps)
}

class AppKeeper implements Keeper {
  readonly #deps: Deps
  readonly #states = new Map<string, KeeperState>()
  readonly #jobs = new Map<
    string,
    { readonly abort: AbortController; readonly done: Promise<void> }
  >()
  readonly #failures = new Map<string, { seq: number; count: number; retryAtMs: number }>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  kick(): void {
    for (const app of this.#deps.wanted.list()) this.#look(app)
  }

  kickApp(id: string): void {
    this.#failures.delete(id)
    this.#states.set(id, { phase: 'queued' })
    for (const app of this.#deps.wanted.list()) if (app.id === id) this.#look(app)
  }

  state(id: string): KeeperState {
    return this.#states.get(id) ?? { phase: 'idle' }
  }

  async abandon(id: string): Promise<void> {
    const job = this.#jobs.get(id)
    job?.abort.abort(new Error(`${id} is no longer wanted`))
    await job?.done
    this.#settle(id)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#jobs.keys()].map(id => this.abandon(id)))
  }

  #look(app: WantedApp): void {
    if (this.#jobs.has(app.id)) return
    const abort = new AbortController()
    const done = this.#work(app, abort.signal)
      .catch(error =>
        this.#deps.log.error('app keeper failed', { app: app.id, reason: messageOf(error) }),
      )
      .finally(() => this.#jobs.delete(app.id))
    this.#jobs.set(app.id, { abort, done })
  }

  async #work(app: WantedApp, signal: AbortSignal): Promise<void> {
    const entry = headOf(this.#deps.catalog, app)
    if (entry === undefined) {
      this.#states.set(app.id, { phase: 'waiting' })
      return
    }
    const failure = this.#failures.get(app.id)
    if (failure?.seq === entry.seq && failure.retryAtMs > this.#deps.clock.nowMs()) return
    try {
      if (!(await this.#isInstalled(entry))) await this.#bring(entry, signal)
      this.#settle(app.id)
    } catch (error) {
      if (signal.aborted) this.#states.delete(app.id)
      else this.#fail(entry, error)
    }
  }

  async #isInstalled(entry: CatalogEntry): Promise<boolean> {
    const apps = await this.#deps.orchestrator.apps()
    const installed = apps.find(status => status.id === entry.app)
    return installed !== undefined && installed.state !== 'retained' && installed.seq >= entry.seq
  }

  async #bring(entry: CatalogEntry, signal: AbortSignal): Promise<void> {
    const { app: id, version } = entry
    this.#states.set(id, { phase: 'fetching', version })
    const release = await this.#deps.deliver(entry, signal, progress =>
      this.#states.set(id, { phase: 'fetching', version, progress }),
    )
    signal.throwIfAborted()
    this.#states.set(id, { phase: 'installing', version })
    await this.#deps.orchestrator.install(release, { signal })
    this.#deps.log.info('app brought to version', { app: id, version, seq: entry.seq })
  }

  #settle(id: string): void {
    this.#states.delete(id)
    this.#failures.delete(id)
  }

  #fail(entry: CatalogEntry, error: unknown): void {
    const { app, version, seq } = entry
    const last = this.#failures.get(app)
    const count = last?.seq === seq ? last.count + 1 : 1
    const delayMs = Math.min(RETRY_DELAY_MS * 2 ** (count - 1), RETRY_DELAY_MS_MAX)
    const retryAtMs = this.#deps.clock.nowMs() + delayMs
    this.#failures.set(app, { seq, count, retryAtMs })
    const code = codeOf(error) ?? 'INTERNAL'
    const reason = messageOf(error)
    this.#states.set(app, {
      phase: 'waiting',
      version,
      error: { code, message: reason, retryAtMs },
    })
    this.#deps.log.warn('app could not be brought', { app, version, code, reason, delayMs })
  }
}

/** The head of the app's channel, or `undefined` while the catalog does not list it. */
function headOf(catalog: Pick<Catalog, 'find'>, app: WantedApp): CatalogEntry | undefined {
  try {
    return catalog.find(app.id, app.channel).head
  } catch (error) {
    if (codeOf(error) === 'APP_UNKNOWN') return undefined
    throw error
  }
}
