/**
 * One run of the node on the model machine, and the effects it has. An effect is a call that changes the machine or a
 * file; the power can be cut just before any of them. Who is dead never gets an answer again, as a killed process does not.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** What went out: the whole machine, or only the node's own process. */
export type Cut = 'power' | 'kill'

export class Life {
  isDead = false
  readonly #folder: string
  readonly #effects: Effects

  constructor(folder: string, effects: Effects) {
    this.#folder = folder
    this.#effects = effects
  }

  /** Files outside belong to the test. */
  owns(path: string): boolean {
    return path.startsWith(this.#folder)
  }

  /** Waits for ever when the life has ended, or ends by this very effect. */
  async effect(name: string): Promise<void> {
    if (!this.isDead) this.#effects.step(name)
    await this.stay()
  }

  /** Reads pass until the end. */
  async stay(): Promise<void> {
    if (this.isDead) await never
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return lives.run(this, work)
  }
}

export const lives = new AsyncLocalStorage<Life>()

const never = new Promise<never>(() => {})

export interface Effects {
  /** Everything that happened since the last `arm`, in order. */
  readonly trail: readonly string[]
  /** Cuts just before the effect of this index; never without one. */
  arm(index: number | undefined, cut: (effect: string) => void): void
  /** Says that `name` is about to happen, and cuts if it is time. */
  step(name: string): void
}

export function createEffects(): Effects {
  let trail: string[] = []
  let cutIndex: number | undefined
  let onCut: (effect: string) => void = () => {}
  return {
    get trail() {
      return trail
    },
    arm(index, cut) {
      trail = []
      cutIndex = index
      onCut = cut
    },
    step(name) {
      const isCut = trail.length === cutIndex
      trail.push(name)
      if (isCut) onCut(name)
    },
  }
}
