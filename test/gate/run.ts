/** One run of the gate: its nodes, its apps, its publisher, what their users wrote, and what was found. */
import type { GateApp } from './apps.ts'
import type { Cells } from './cells.ts'
import type { Machine } from './machine.ts'
import type { Releases } from './releases.ts'
import type { StateId } from './states.ts'

/** Moments after an operation has begun at which it is cut: each iteration and node has another one. */
const PAUSES_MS = [0, 400, 150, 1500, 50, 800, 3000, 250, 2000, 600] as const

export class GateRun {
  readonly machines: readonly Machine[]
  readonly apps: readonly GateApp[]
  readonly releases: Releases
  readonly cells: Cells
  /** Where the log of the daemon goes when a cell failed. */
  readonly say: (line: string) => void
  readonly #written = new Map<string, string[]>()

  constructor(parts: Pick<GateRun, 'machines' | 'apps' | 'releases' | 'cells' | 'say'>) {
    this.machines = parts.machines
    this.apps = parts.apps
    this.releases = parts.releases
    this.cells = parts.cells
    this.say = parts.say
  }

  /** Apps that come to run: the others only fail, start and stop. */
  get healthy(): readonly GateApp[] {
    return this.apps.filter(({ rests }) => rests === 'running')
  }

  /** Texts that a user of the app wrote on this node and was told that they are kept. */
  written(machine: Machine, app: GateApp): string[] {
    const key = `${machine.name}/${app.id}`
    const texts = this.#written.get(key) ?? []
    this.#written.set(key, texts)
    return texts
  }

  onAll(work: (machine: Machine) => Promise<void>): Promise<unknown> {
    return Promise.all(this.machines.map(work))
  }

  /** One cell for each of the apps, all at the same time. */
  each(
    machine: Machine,
    state: StateId,
    apps: readonly GateApp[],
    work: (app: GateApp) => Promise<string | undefined>,
  ): Promise<readonly boolean[]> {
    return Promise.all(
      apps.map(app =>
        this.cells.check({ node: machine.name, app: app.id, state }, () => work(app)),
      ),
    )
  }

  /**
   * The apps whose operations are cut on this node in this iteration: every second one, the others on the other node. So each is
   * cut in each iteration, and the rest of a node sees what is done to its neighbours.
   */
  share(machine: Machine): readonly GateApp[] {
    const turn = this.machines.indexOf(machine) + this.cells.iteration
    const count = this.machines.length
    return this.apps.filter((_, index) => (index + turn) % count === 0)
  }

  /** `stretch` is for operations that take that much longer than a stop. */
  pauseMs(machine: Machine, step: number, stretch: number): number {
    const node = this.machines.indexOf(machine)
    const turn = (this.cells.iteration - 1) * this.machines.length + node + step
    return (PAUSES_MS[turn % PAUSES_MS.length] ?? 0) * stretch
  }
}
