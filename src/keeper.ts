/** Keeps every wanted app at the release that was chosen for it: fetch, hand over, and try again later when that fails. */
import type { CatalogEntry, Choice } from '../catalog/index.ts'
import type { AppStatus, Orchestrator } from '../orchestrator/index.ts'
import type { Chooser } from './chooser.ts'
import type { Clock } from './core/clock.ts'
import type { Digest } from './core/digest.ts'
import { codeOf, messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'
import type { DeliveryProgress } from './delivery.ts'
import type { Delivered } from './leased-delivery.ts'
import type { Wanted, WantedApp } from './wanted.ts'

/** What the keeper is doing for an app, beside what the orchestrator says of it. */
export interface KeeperState {
  /** `queued`: the owner asked, nothing is known yet. `waiting`: for the catalog, or for the next try. */
  readonly phase: 'idle' | 'queued' | 'fetching' | 'installing' | 'waiting'
  /** The version that is on its way. */
  readonly version?: string
  readonly progress?: DeliveryProgress
  readonly error?: { readonly code: string; readonly message: string; readonly retryAtMs?: number }
  /** What the owner should know of the choice that was made. */
  readonly notices?: readonly string[]
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
  readonly chooser: Chooser
  readonly orchestrator: Pick<Orchestrator, 'install' | 'apps' | 'forgetConsent'>
  readonly wanted: Pick<Wanted, 'list'>
  readonly clock: Clock
  readonly log: Log
  deliver(
    entry: CatalogEntry,
    signal: AbortSignal,
    onProgress: (progress: DeliveryProgress) => void,
  ): Promise<Delivered>
}

/** First wait after a failure; doubles up to the maximum. A person who fixed the cause can kick the app. */
const RETRY_DELAY_MS = 15_000
const RETRY_DELAY_MS_MAX = 3_600_000

export function createKeeper(deps: Deps): Keeper {
  return new AppKeeper(deps)
}

interface Failure {
  /** A release by its content: manifests on the owner's disk all have the same number. */
  readonly manifest: Digest
  readonly count: number
  readonly retryAtMs: number
}

class AppKeeper implements Keeper {
  readonly #deps: Deps
  readonly #states = new Map<string, KeeperState>()
  readonly #jobs = new Map<
    string,
    { readonly abort: AbortController; readonly done: Promise<void> }
  >()
  readonly #notices = new Map<string, readonly string[]>()
  readonly #failures = new Map<string, Failure>()

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
    const notices = this.#notices.get(id) ?? []
    const state = this.#states.get(id) ?? { phase: 'idle' }
    return notices.length === 0 ? state : { ...state, notices }
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
    const installed = await this.#installed(app.id)
    if (installed?.error?.code === 'RECORD_MALFORMED') {
      // What is installed is not known: nothing may be put over it.
      this.#states.set(app.id, { phase: 'waiting', error: installed.error })
      return
    }
    const { choice, notices, considered } = this.#deps.chooser.choose(app, installed)
    this.#notices.set(app.id, notices)
    if (choice.kind === 'keep') {
      if (installed?.pendingConsent !== undefined) {
        await this.#deps.orchestrator.forgetConsent(app.id)
      }
      return this.#settle(app.id)
    }
    if (choice.kind === 'none') return this.#wait(app.id, choice)
    const failure = this.#failures.get(app.id)
    const isSame = failure?.manifest === choice.entry.manifest.blake3
    if (isSame && failure.retryAtMs > this.#deps.clock.nowMs()) return
    try {
      const onOffer = considered.map(({ version }) => version)
      await this.#bring(app, choice, onOffer, signal)
      this.#settle(app.id)
    } catch (error) {
      if (signal.aborted) this.#states.delete(app.id)
      else this.#fail(choice.entry, error)
    }
  }

  async #installed(id: string): Promise<AppStatus | undefined> {
    return (await this.#deps.orchestrator.apps()).find(status => status.id === id)
  }

  /** An app that the catalog does not list yet may come with the next one; any other reason is for the owner to read. */
  #wait(id: string, { code, why }: Extract<Choice, { kind: 'none' }>): void {
    const isExpected = code === 'APP_UNKNOWN'
    this.#states.set(id, {
      phase: 'waiting',
      ...(isExpected ? {} : { error: { code, message: why } }),
    })
  }

  async #bring(
    { id }: WantedApp,
    { entry, stepsBackFrom }: Extract<Choice, { kind: 'install' }>,
    onOffer: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { version, seq } = entry
    this.#states.set(id, { phase: 'fetching', version })
    // Until the images are in container storage no blob of it may go.
    using delivered = await this.#deps.deliver(entry, signal, progress =>
      this.#states.set(id, { phase: 'fetching', version, progress }),
    )
    signal.throwIfAborted()
    this.#states.set(id, { phase: 'installing', version })
    await this.#deps.orchestrator.install(delivered.release, { signal, stepsBackFrom, onOffer })
    this.#deps.log.info('app brought to version', { app: id, version, seq })
  }

  #settle(id: string): void {
    this.#states.delete(id)
    this.#failures.delete(id)
  }

  #fail(entry: CatalogEntry, error: unknown): void {
    const { app, version, manifest } = entry
    const last = this.#failures.get(app)
    const count = last?.manifest === manifest.blake3 ? last.count + 1 : 1
    const delayMs = Math.min(RETRY_DELAY_MS * 2 ** (count - 1), RETRY_DELAY_MS_MAX)
    const retryAtMs = this.#deps.clock.nowMs() + delayMs
    this.#failures.set(app, { manifest: manifest.blake3, count, retryAtMs })
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
