/** What the gate found: one cell for each app, state, node and iteration. */
import { messageOf } from '../../src/core/errors.ts'
import type { StateId } from './states.ts'

export interface Cell {
  readonly node: string
  readonly app: string
  readonly state: StateId
  readonly iteration: number
  readonly ok: boolean
  readonly ms: number
  /** What was seen: the reason of a failure, else what is worth telling. */
  readonly seen: string
}

export interface CellKey {
  readonly node: string
  readonly app: string
  readonly state: StateId
}

/** Collects cells; `say` hears of each as it comes. */
export class Cells {
  readonly all: Cell[] = []
  readonly #say: (line: string) => void
  iteration = 1

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** Runs a check and keeps how it went; a check that throws is a cell that failed, and the gate goes on. */
  async check(key: CellKey, work: () => Promise<string | undefined>): Promise<boolean> {
    const started = performance.now()
    try {
      const seen = (await work()) ?? ''
      this.#keep({ ...key, ok: true, ms: performance.now() - started, seen })
      return true
    } catch (error) {
      this.#keep({ ...key, ok: false, ms: performance.now() - started, seen: messageOf(error) })
      return false
    }
  }

  #keep(found: Omit<Cell, 'iteration'>): void {
    const cell = { ...found, iteration: this.iteration }
    this.all.push(cell)
    const { node, app, state, ok, ms, seen } = cell
    const word = ok ? 'ok  ' : 'FAIL'
    const text = `${word} ${node} ${app} ${state} ${(ms / 1000).toFixed(1)} s ${seen}`
    this.#say(text.trimEnd())
  }
}
