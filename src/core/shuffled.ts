/** An order by chance, for whatever all nodes would otherwise do in the same order. Pure. */

/** A copy; every order is as likely (Fisher and Yates). `random`: in [0, 1). */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const left = [...items]
  const taken: T[] = []
  while (left.length > 0) taken.push(...left.splice(Math.floor(random() * left.length), 1))
  return taken
}
