/** Keys that become an option of Podman as they are, by how their value is read. Pure. */
import type { Reading } from './reading.ts'

export type FlagTable = Readonly<Record<string, string>>

/** `Timezone=UTC` → `--tz UTC`; the last value counts. */
export function textFlags(own: Reading, table: FlagTable): readonly string[] {
  return Object.entries(table).flatMap(([key, flag]) => {
    const value = own.filled(key)
    return value === undefined ? [] : [flag, value]
  })
}

/** Every value, as it is. */
export function eachFlag(own: Reading, table: FlagTable): readonly string[] {
  return Object.entries(table).flatMap(([key, flag]) =>
    own.all(key).flatMap(value => [flag, value]),
  )
}

/** Every word of every value of a list. */
export function listFlags(own: Reading, table: FlagTable): readonly string[] {
  return Object.entries(table).flatMap(([key, flag]) => own.list(key).flatMap(word => [flag, word]))
}

/** Every word of every value, read as an argv. */
export function argFlags(own: Reading, table: FlagTable): readonly string[] {
  return Object.entries(table).flatMap(([key, flag]) => own.args(key).flatMap(word => [flag, word]))
}

/** `--init`, or `--init=false`. */
export function booleanFlags(own: Reading, table: FlagTable): readonly string[] {
  return Object.entries(table).flatMap(([key, flag]) => {
    const value = own.flag(key)
    if (value === undefined) return []
    return value ? [flag] : [`${flag}=false`]
  })
}

/** `--env A=b`, sorted by name. */
export function pairFlags(own: Reading, table: FlagTable): readonly string[] {
  return Object.entries(table).flatMap(([key, flag]) =>
    own.pairs(key).flatMap(([name, value]) => [flag, `${name}=${value}`]),
  )
}
