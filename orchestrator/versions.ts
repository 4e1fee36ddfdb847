/** Whether a version of an app lies in a range such as ">=26.0 <28". Pure. */
import { coerce, compare, satisfies, validRange } from 'semver'

/**
 * Upstream's numbers alone count: "26.0-2" is 26.0.0, and so is "v26". A version without numbers that can be compared, and a
 * range that is none, hold nothing.
 */
export function isInRange(version: string, range: string): boolean {
  const plain = coerce(version)
  if (plain === null || validRange(range) === null) return false
  return satisfies(plain, range)
}

/** The highest of `versions` that lies in the range. */
export function highestInRange(versions: readonly string[], range: string): string | undefined {
  const fitting = versions.flatMap(version => {
    const plain = coerce(version)
    return plain !== null && isInRange(version, range) ? [{ version, plain }] : []
  })
  return fitting.sort((a, b) => compare(b.plain, a.plain))[0]?.version
}
