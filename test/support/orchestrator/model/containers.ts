/** What `podman run` of a unit does on the model machine, from the checks before it to the end of the program. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sharersOf } from './care.ts'
import { GOOD_PROGRAM, type Program } from './program.ts'
import type { ModelContainer, Storage } from './storage.ts'
import type { ContainerDefinition, UnitDefinition } from './unit-files.ts'
import type { ManagerDeps, RunEvents, UnitRun } from './user-manager.ts'

export interface RunnerDeps extends Pick<ManagerDeps, 'begin' | 'at'> {
  readonly storage: Storage
  /** By `app/component` or `app/component@version`; good when it is not named. */
  readonly programs: Map<string, Program>
  /** What no orchestrator may ever cause; tests want it empty. */
  readonly violations: string[]
  /** The Podman network that a network unit makes. */
  readonly networkOf: (unit: string) => string | undefined
}

const CREATE_MS = 100
/** By a SIGTERM. */
const TERMINATED = 143
/** Podman's own codes: could not even begin. */
const NOT_BEGUN = 125

export function createRunner(deps: RunnerDeps): ManagerDeps['run'] {
  return (unit, events) => {
    if (unit.work.kind === 'container') {
      return new ContainerRun(deps, unit.name, unit.work.container, events)
    }
    return makeNetwork(deps, unit, events)
  }
}

function makeNetwork(deps: RunnerDeps, { name, work }: UnitDefinition, events: RunEvents): UnitRun {
  const callOff = deps.at(1, () => {
    if (work.kind === 'network') {
      if (!deps.storage.networks.has(work.network) && !deps.begin(`network of ${name}`)) return
      deps.storage.networks.add(work.network)
    }
    events.exited(0)
  })
  return {
    kill: callOff,
    terminate() {
      callOff()
      events.exited(TERMINATED)
    },
  }
}

class ContainerRun implements UnitRun {
  readonly #deps: RunnerDeps
  readonly #definition: ContainerDefinition
  readonly #events: RunEvents
  readonly #program: Program
  #timers: (() => void)[] = []
  #container: ModelContainer | undefined

  constructor(deps: RunnerDeps, unit: string, definition: ContainerDefinition, events: RunEvents) {
    this.#deps = deps
    this.#definition = definition
    this.#events = events
    const { labels } = definition
    const name = `${labels['app.id']}/${labels['app.component']}`
    this.#program =
      deps.programs.get(`${name}@${labels['app.version']}`) ??
      deps.programs.get(name) ??
      GOOD_PROGRAM
    this.#in(CREATE_MS, () => this.#create(unit))
  }

  kill(): void {
    this.#clear()
    if (this.#container === undefined) return
    this.#container = undefined
    this.#deps.storage.containers.delete(this.#definition.name)
  }

  terminate(): void {
    this.#clear()
    const { endsAfterMs, endCode } = this.#program
    const { graceMs } = this.#definition
    if (this.#container === undefined) this.#in(1, () => this.#end(0))
    else if (endsAfterMs <= graceMs) this.#in(endsAfterMs, () => this.#end(endCode))
    else this.#in(graceMs, () => this.#end(137))
  }

  #create(unit: string): void {
    const { storage, violations, begin } = this.#deps
    const { name, labels } = this.#definition
    const problem = this.#problem()
    if (problem !== undefined) {
      this.#events.exited(NOT_BEGUN)
      return
    }
    const before = storage.containers.get(name)
    if (before?.status === 'running') violations.push(`${unit} started ${name} a second time`)
    if (before !== undefined && before.labels['app.id'] !== labels['app.id']) {
      violations.push(`${unit} replaced the container ${name} of somebody else`)
    }
    for (const other of sharersOf(storage, { name, labels, definition: this.#definition })) {
      violations.push(`${unit} was started on the data of ${other}, which runs`)
    }
    if (!begin(`container ${name}`)) return
    const container: ModelContainer = {
      ...{ name, status: 'running', isWell: undefined, exitCode: 0, labels },
      definition: this.#definition,
    }
    storage.containers.set(name, container)
    this.#container = container
    this.#live(container)
  }

  #live(container: ModelContainer): void {
    const { healthyAfterMs, exits, sickAfterMs, writes } = this.#program
    if (!this.#isData()) {
      this.#in(10, () => this.#end(1))
      return
    }
    if (writes !== undefined) {
      for (const folder of this.#definition.folders) writeFileSync(join(folder, 'notes'), writes)
    }
    if (exits !== undefined) this.#in(exits.afterMs, () => this.#end(exits.code, exits.isOom))
    if (Number.isFinite(healthyAfterMs)) {
      this.#in(healthyAfterMs, () => {
        container.isWell = true
        if (this.#definition.waitsForHealth) this.#events.ready()
      })
    }
    if (sickAfterMs !== undefined) {
      this.#in(sickAfterMs, () => {
        container.isWell = false
      })
    }
    if (!this.#definition.waitsForHealth) this.#events.ready()
  }

  #end(code: number, isOom = false): void {
    this.kill()
    this.#events.exited(code, isOom)
  }

  /** Why Podman would refuse. */
  #problem(): string | undefined {
    const { storage, networkOf } = this.#deps
    const { imageId, secrets, networkUnits, folders } = this.#definition
    const image = [...storage.images.values()].find(({ id }) => id === imageId)
    if (image === undefined || image.isDamaged) return 'image'
    if (secrets.some(name => !storage.secrets.has(name))) return 'secret'
    const networks = networkUnits.map(unit => networkOf(unit) ?? '')
    if (networks.some(name => !storage.networks.has(name))) return 'network'
    return folders.some(folder => !existsSync(folder)) ? 'folder' : undefined
  }

  /** As a database does: data made with one password is of no use with another. */
  #isData(): boolean {
    const { password, folders } = this.#definition
    const mark = this.#deps.storage.secrets.get(password ?? '') ?? 'none'
    return folders.every(folder => {
      const file = join(folder, `made-with-the-password-of-${this.#definition.name}`)
      if (!existsSync(file)) writeFileSync(file, mark)
      return readFileSync(file, 'utf8') === mark
    })
  }

  #in(delayMs: number, work: () => void): void {
    this.#timers.push(this.#deps.at(delayMs, work))
  }

  #clear(): void {
    for (const callOff of this.#timers) callOff()
    this.#timers = []
  }
}
