/** Waits for a condition with a deadline; tests never sleep for a fixed time. */

/**
 * Asks `probe` again and again until it gives something other than `undefined` or `false`.
 * @throws Error that names `what` when `timeoutMs` have passed.
 */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  intervalMs = 100,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`)
    await new Promise(resolve => setTimeout(resolve, intervalMs))
  }
}
