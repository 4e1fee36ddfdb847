/**
 * A machine in memory for the orchestrator: systemd's user manager over the unit files that were really written, Podman's
 * storage, programs that behave or do not, a clock that jumps, and a power supply that can be cut at any effect.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOrchestrator, type Orchestrator } from '../../../orchestrator/index.ts'
import type { Log } from '../../../src/core/log.ts'
import { silentLog } from '../../../src/core/log.ts'
import { startBare } from './model/care.ts'
import { createRunner } from './model/containers.ts'
import { hookFiles, keepUnsynced, loseUnsynced } from './model/files.ts'
import { type Cut, createEffects, Life } from './model/life.ts'
import { createModelHost } from './model/ports.ts'
import type { Program } from './model/program.ts'
import { cutPowerOf, emptyStorage, type ModelContainer, type Storage } from './model/storage.ts'
import { createModelTime } from './model/time.ts'
import { enabledUnits, readUnits, type UnitDefinition } from './model/unit-files.ts'
import { UserManager } from './model/user-manager.ts'

/** In memory where the machine has such a place: an fsync then costs nothing. */
const MEMORY = '/dev/shm'

export class ModelMachine {
  readonly folder: string
  readonly time = createModelTime()
  readonly effects = createEffects()
  readonly storage: Storage = emptyStorage()
  readonly programs = new Map<string, Program>()
  readonly violations: string[] = []
  readonly silent = new Set<'podman' | 'systemd'>()
  readonly refusedFiles = new Map<string, string>()
  readonly manager: UserManager
  readonly #log: Log
  #definitions: ReadonlyMap<string, UnitDefinition> = new Map()
  #listeners = new Set<() => void>()
  #life: Life | undefined
  #isOff = false
  /** Secrets of two machines differ, and those of one machine from run to run do not. */
  #byte = 0

  constructor(log: Log = silentLog) {
    this.folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'archy-model-'))
    this.#log = log
    const begin = (effect: string): boolean => {
      if (!this.#isOff) this.effects.step(effect)
      return !this.#isOff
    }
    const { at } = this.time
    const networkOf = (unit: string): string | undefined => {
      const work = this.#definitions.get(unit)?.work
      return work?.kind === 'network' ? work.network : undefined
    }
    const { storage, programs, violations } = this
    this.manager = new UserManager({
      ...{ begin, at, isThere: existsSync },
      onChange: () => {
        for (const listener of this.#listeners) listener()
      },
      run: createRunner({ begin, at, storage, programs, violations, networkOf }),
    })
    mkdirSync(join(this.folder, 'grave'))
    hookFiles(join(this.folder, 'grave'))
  }

  get dataFolder(): string {
    return join(this.folder, 'data')
  }

  get #folders(): { quadlet: string; user: string } {
    return { quadlet: join(this.folder, 'home/quadlet'), user: join(this.folder, 'home/user') }
  }

  /** Runs a new node until it has opened. The one before is dead from now on. */
  async startNode(): Promise<Orchestrator> {
    if (this.#life !== undefined) this.#life.isDead = true
    const life = new Life(`${this.folder}/`, this.effects)
    this.#life = life
    this.#listeners = new Set()
    const { folder, time, storage, manager, silent, refusedFiles } = this
    const host = createModelHost({
      ...{ folder, storage, manager, silent, refusedFiles, listeners: this.#listeners },
      violations: this.violations,
      reload: () => this.#reload(),
    })
    const randomBytes = (length: number): Uint8Array => {
      this.#byte += 1
      return new Uint8Array(length).fill(this.#byte)
    }
    const orchestrator = createOrchestrator(
      { ...host, clock: time, log: this.#log, randomBytes },
      {
        mode: 'systemd',
        stateFolder: join(this.folder, 'state'),
        dataFolder: this.dataFolder,
        unitFolder: this.#folders.quadlet,
        userUnitFolder: this.#folders.user,
      },
    )
    await this.do(() => orchestrator.open())
    return orchestrator
  }

  /** Runs work of the node that was started last, until it has ended. */
  async do<T>(work: () => Promise<T>): Promise<T> {
    const life = this.#life
    if (life === undefined) throw new Error('no node was started')
    return await this.time.drive(life.run(work))
  }

  /**
   * Runs work and cuts just before its effect of this index.
   * @returns the effect that never came, or `undefined` when the work had ended before.
   */
  async cutDuring(
    index: number,
    cut: Cut,
    work: () => Promise<unknown>,
  ): Promise<string | undefined> {
    const { promise: gone, resolve } = Promise.withResolvers<string>()
    this.effects.arm(index, effect => {
      this.cut(cut)
      resolve(effect)
    })
    const ignore = (): undefined => undefined
    const effect = await Promise.race([gone, this.do(work).then(ignore, ignore)])
    this.effects.arm(undefined, () => {})
    return effect
  }

  cut(cut: Cut): void {
    if (this.#life !== undefined) this.#life.isDead = true
    if (cut === 'kill') {
      keepUnsynced()
      return
    }
    this.#isOff = true
    this.time.clearEvents()
    this.manager.clear()
    cutPowerOf(this.storage)
    loseUnsynced()
  }

  /** The user manager comes up and starts what is enabled; no node yet. */
  boot(): void {
    this.#isOff = false
    this.#reload()
    this.manager.start(enabledUnits(this.#folders))
    for (const container of this.storage.containers.values()) {
      if (container.restartPolicy === 'always') startBare(this, container)
    }
  }

  /** As somebody types it: `podman run`, with what the program needs as data. */
  runBare(container: ModelContainer): void {
    this.storage.containers.set(container.name, container)
    startBare(this, container)
  }

  /** An orderly reboot: everything is asked to end, then the machine boots. */
  async reboot(): Promise<void> {
    this.manager.stop(this.manager.busyUnits)
    await this.time.pass(120_000)
    this.cut('power')
    this.boot()
  }

  dispose(): void {
    this.cut('power')
    rmSync(this.folder, { recursive: true, force: true })
  }

  #reload(): void {
    const known = [...readUnits(this.#folders)].filter(([name]) => !this.refusedFiles.has(name))
    this.#definitions = new Map(known)
    this.manager.load(this.#definitions)
  }
}
