/** systemd's user manager on the model machine: jobs in order, states, restarts, deadlines. No file or clock of its own. */
import type { UnitState } from '../../../../orchestrator/ports.ts'
import type { UnitDefinition } from './unit-files.ts'

export interface UnitRun {
  /** Ends what was begun, at once and without a trace. */
  kill(): void
  /** Asks for an orderly end. */
  terminate(): void
}

export interface RunEvents {
  /** The service says that it is ready. */
  ready(): void
  exited(code: number, isOom?: boolean): void
}

export interface ManagerDeps {
  /** False when the power went out instead. */
  readonly begin: (effect: string) => boolean
  readonly at: (delayMs: number, work: () => void) => () => void
  readonly isThere: (path: string) => boolean
  readonly onChange: () => void
  /** Starts the program of a unit; nothing may be called back before it returns. */
  readonly run: (unit: UnitDefinition, events: RunEvents) => UnitRun
}

interface Live {
  active: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating'
  sub: string
  result: string
  restarts: number
  exitStatus: number
  run: UnitRun | undefined
  /** Calls off every timer of this unit. */
  timers: (() => void)[]
  /** Result when the end that is under way was forced by a deadline. */
  forced: string | undefined
  /** Which life of the program this is: late calls of an earlier one count for nothing. */
  number: number
}

/** Fewer would not show a back-off, more only cost time. */
const RESTART_DELAYS_MS = [1000, 2000, 5000, 15_000, 60_000, 300_000] as const
/** What a program without a handler says when it obeys SIGTERM; our units list it as an orderly end. */
const ORDERLY_CODES = [0, 143]

export class UserManager {
  readonly #deps: ManagerDeps
  #definitions: ReadonlyMap<string, UnitDefinition> = new Map()
  readonly #lives = new Map<string, Live>()
  readonly #starting = new Set<string>()
  readonly #stopping = new Set<string>()

  constructor(deps: ManagerDeps) {
    this.#deps = deps
  }

  load(definitions: ReadonlyMap<string, UnitDefinition>): void {
    this.#definitions = definitions
  }

  state(name: string): UnitState {
    const live = this.#lives.get(name)
    if (live === undefined || (live.active === 'inactive' && !this.#definitions.has(name))) {
      const active = this.#definitions.has(name) ? 'inactive' : 'not-found'
      return { active, sub: 'dead', result: 'success', restarts: 0, exitStatus: 0 }
    }
    const { active, sub, result, restarts, exitStatus } = live
    return { active, sub, result, restarts, exitStatus }
  }

  /** Every unit that is not at rest. */
  get busyUnits(): readonly string[] {
    return [...this.#lives].filter(([, { active }]) => active !== 'inactive').map(([name]) => name)
  }

  isKnown(name: string): boolean {
    return this.#definitions.has(name)
  }

  start(names: readonly string[]): void {
    for (const name of names) this.#queueStart(name)
    this.#settle()
  }

  stop(names: readonly string[]): void {
    for (const name of names) this.#queueStop(name)
    this.#settle()
  }

  kill(name: string): void {
    const live = this.#lives.get(name)
    if (live?.run === undefined) return
    live.forced ??= 'signal'
    live.run.kill()
    this.#exited(name, live.number, 137)
  }

  resetFailed(name: string): void {
    const live = this.#lives.get(name)
    if (live === undefined) return
    live.restarts = 0
    if (live.active === 'failed') Object.assign(live, { active: 'inactive', sub: 'dead' })
  }

  /** The power went out, or the last session ended. */
  clear(): void {
    this.#lives.clear()
    this.#starting.clear()
    this.#stopping.clear()
  }

  #queueStart(name: string): void {
    const definition = this.#definitions.get(name)
    if (definition === undefined || this.#starting.has(name)) return
    this.#stopping.delete(name)
    const { active } = this.#live(name)
    if (active === 'active' || active === 'activating') return
    this.#starting.add(name)
    for (const other of [...definition.requires, ...definition.wants]) this.#queueStart(other)
  }

  #queueStop(name: string): void {
    if (this.#stopping.has(name)) return
    this.#starting.delete(name)
    this.#stopping.add(name)
    for (const [other, { partOf, requires }] of this.#definitions) {
      if (partOf.includes(name) || requires.includes(name)) this.#queueStop(other)
    }
  }

  /** Begins every job whose turn it is, until none is left that could. */
  #settle(): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = false
      for (const name of [...this.#stopping]) isMoving = this.#tryStop(name) || isMoving
      for (const name of [...this.#starting]) isMoving = this.#tryStart(name) || isMoving
    }
  }

  /** True when the job ended or a unit moved. */
  #tryStop(name: string): boolean {
    const live = this.#live(name)
    // Who was started after it is stopped before it.
    const isWaiting = [...this.#stopping].some(
      other => other !== name && this.#definitions.get(other)?.after.includes(name),
    )
    if (isWaiting || live.active === 'deactivating') return false
    if (live.run === undefined) {
      this.#stopping.delete(name)
      if (live.active === 'failed' || live.active === 'inactive') return true
      this.#set(name, 'inactive', 'dead')
      return true
    }
    if (!this.#set(name, 'deactivating', 'stop-sigterm')) return false
    this.#clearTimers(live)
    const timeoutMs = this.#definitions.get(name)?.stopTimeoutMs ?? 90_000
    this.#after(name, timeoutMs, () => {
      live.forced = 'timeout'
      live.run?.kill()
      this.#exited(name, live.number, 137)
    })
    live.run.terminate()
    return true
  }

  #tryStart(name: string): boolean {
    const definition = this.#definitions.get(name)
    if (definition === undefined) return this.#starting.delete(name)
    const live = this.#live(name)
    const isWaiting = definition.after.some(
      other => this.#starting.has(other) || this.#lives.get(other)?.active === 'activating',
    )
    if (isWaiting || live.active === 'deactivating' || this.#stopping.has(name)) return false
    this.#starting.delete(name)
    if (live.active === 'active' || live.active === 'activating') return true
    const isMissing = definition.requires.some(other => this.#live(other).active !== 'active')
    const isHeld = definition.heldBy.some(path => this.#deps.isThere(path))
    if (isMissing || isHeld) return true
    live.restarts = 0
    this.#begin(name, definition)
    return true
  }

  #begin(name: string, definition: UnitDefinition): void {
    if (definition.work.kind === 'target') {
      this.#set(name, 'active', 'active')
      return
    }
    if (!this.#set(name, 'activating', 'start')) return
    const live = this.#live(name)
    live.number += 1
    live.forced = undefined
    const { number } = live
    if (definition.work.kind === 'container') {
      this.#after(name, definition.startTimeoutMs, () => {
        live.forced = 'timeout'
        live.run?.kill()
        this.#exited(name, number, 137)
      })
    }
    live.run = this.#deps.run(definition, {
      ready: () => {
        if (live.number !== number || live.active !== 'activating' || definition.isOneshot) return
        this.#clearTimers(live)
        this.#set(name, 'active', 'running')
        this.#settle()
      },
      exited: (code, isOom) => this.#exited(name, number, code, isOom),
    })
  }

  #exited(name: string, number: number, code: number, isOom = false): void {
    const live = this.#live(name)
    if (live.number !== number || live.run === undefined) return
    live.run = undefined
    live.exitStatus = code
    this.#clearTimers(live)
    const isOrderly = ORDERLY_CODES.includes(code) && live.forced === undefined
    live.result = isOrderly ? 'success' : isOom ? 'oom-kill' : (live.forced ?? 'exit-code')
    const definition = this.#definitions.get(name)
    if (live.active === 'deactivating') {
      this.#stopping.delete(name)
      this.#set(name, isOrderly ? 'inactive' : 'failed', isOrderly ? 'dead' : 'failed')
    } else if (definition?.isOneshot === true && isOrderly) {
      this.#set(name, definition.remains ? 'active' : 'inactive', 'exited')
    } else if (definition?.isRestarted === true) this.#restartLater(name, live)
    else this.#set(name, isOrderly ? 'inactive' : 'failed', isOrderly ? 'dead' : 'failed')
    this.#settle()
  }

  #restartLater(name: string, live: Live): void {
    if (!this.#set(name, 'activating', 'auto-restart')) return
    const delayMs = RESTART_DELAYS_MS[Math.min(live.restarts, RESTART_DELAYS_MS.length - 1)] ?? 0
    live.restarts += 1
    this.#after(name, delayMs, () => {
      const definition = this.#definitions.get(name)
      if (definition === undefined || live.sub !== 'auto-restart') return
      // systemd queues an ordinary start job: conditions count again.
      const { restarts } = live
      Object.assign(live, { active: 'inactive', sub: 'dead' })
      this.#starting.add(name)
      this.#settle()
      live.restarts = restarts
    })
  }

  /** False when the power went out instead. */
  #set(name: string, active: Live['active'], sub: string): boolean {
    if (!this.#deps.begin(`${name} ${active} (${sub})`)) return false
    if (active === 'inactive' || active === 'failed') this.#clearTimers(this.#live(name))
    Object.assign(this.#live(name), { active, sub })
    this.#deps.onChange()
    return true
  }

  #after(name: string, delayMs: number, work: () => void): void {
    this.#live(name).timers.push(this.#deps.at(delayMs, work))
  }

  #clearTimers(live: Live): void {
    for (const callOff of live.timers) callOff()
    live.timers = []
  }

  #live(name: string): Live {
    const known = this.#lives.get(name)
    if (known !== undefined) return known
    const live: Live = {
      ...{ active: 'inactive', sub: 'dead', result: 'success', restarts: 0, exitStatus: 0 },
      ...{ run: undefined, timers: [], forced: undefined, number: 0 },
    }
    this.#lives.set(name, live)
    return live
  }
}
