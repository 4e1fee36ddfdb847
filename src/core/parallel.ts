/** Runs one act for many things, some at a time. */

/**
 * Calls `act` for every item, at most `limit` at once, in their order. The first failure begins nothing new, waits for
 * what is under way, and is thrown.
 */
export async function eachInParallel<T>(
  items: Iterable<T>,
  limit: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failure: { readonly error: unknown } | undefined
  const worker = async (): Promise<void> => {
    for (;;) {
      if (failure !== undefined) return
      const { done, value } = iterator.next()
      if (done) return
      try {
        await act(value)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error
}
