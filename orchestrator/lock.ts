/** One lock per app: work on one app is done in the order it was asked for, apps do not wait for each other. */

export interface Locks {
  /** Runs `work` when everything asked for before under this key has ended, however it ended. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>
  isBusy(key: string): boolean
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run(key, work) {
      const before = tails.get(key) ?? Promise.resolve()
      const mine = before.then(work, work)
      tails.set(key, mine)
      const forget = (): void => {
        if (tails.get(key) === mine) tails.delete(key)
      }
      mine.then(forget, forget)
      return mine
    },
    isBusy: key => tails.has(key),
    async idle() {
      while (tails.size > 0) await Promise.allSettled(tails.values())
    },
  }
}
