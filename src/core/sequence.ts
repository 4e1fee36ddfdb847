/** Work that must not run side by side: one after the other, in the order it was asked for. */

/** Runs `work` when everything asked for before has ended, however it ended. The failure goes to whoever asked for it. */
export type Sequence = <T>(work: () => Promise<T>) => Promise<T>

export function createSequence(): Sequence {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const mine = last.then(work, work)
    last = mine
    return mine
  }
}
