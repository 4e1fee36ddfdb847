/** One task at a time for each key, in the order they were asked for. */

export interface KeyedLock {
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result>
  /** Resolves when every task that was asked for so far has ended. */
  idle(): Promise<void>
}

export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>()
  return {
    async run(key, task) {
      const before = tails.get(key)
      const { promise: ended, resolve: end } = Promise.withResolvers<void>()
      tails.set(key, ended)
      try {
        await before
        return await task()
      } finally {
        if (tails.get(key) === ended) tails.delete(key)
        end()
      }
    },
    async idle() {
      await Promise.all(tails.values())
    },
  }
}
