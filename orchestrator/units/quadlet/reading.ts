/** The values of one section, each read as the key asks for. Pure. */
import { type UnitSection, valuesOf } from '../file.ts'
import { splitArguments, splitList } from './words.ts'

export interface Reading {
  /** The last value, without white space at its end and without the double quotes around it. */
  text(key: string): string | undefined
  /** As `text`, but `undefined` for an empty value. */
  filled(key: string): string | undefined
  flag(key: string): boolean | undefined
  /** All values; an empty one takes back those before it. */
  all(key: string): readonly string[]
  /** The words of all values: an argv. A value with an escape that nobody knows is left out. */
  args(key: string): readonly string[]
  /** The words of the last value: an argv. */
  lastArgs(key: string): readonly string[] | undefined
  /** The words of all values: a list. */
  list(key: string): readonly string[]
  /** `KEY=VALUE` words, sorted by key; a later one replaces an earlier one, and words without `=` are left out. */
  pairs(key: string): readonly (readonly [string, string])[]
  keys(): readonly string[]
}

const TRUE = new Set(['1', 'yes', 'true', 'on'])

export function reading(sections: readonly UnitSection[], section: string): Reading {
  const all = (key: string): readonly string[] => {
    const values = valuesOf(sections, section, key)
    return values.slice(values.lastIndexOf('') + 1)
  }
  const last = (key: string) => valuesOf(sections, section, key).at(-1)
  const text = (key: string) =>
    last(key)
      ?.replace(/\p{White_Space}+$/u, '')
      .replace(/^"+|"+$/g, '')
  const args = (key: string) => all(key).flatMap(value => splitArguments(value) ?? [])
  return {
    text,
    filled: key => text(key) || undefined,
    flag(key) {
      const value = text(key)
      return value === undefined ? undefined : TRUE.has(value.toLowerCase())
    },
    all,
    args,
    lastArgs(key) {
      const value = last(key)
      return value === undefined ? undefined : splitArguments(value)
    },
    list: key => all(key).flatMap(splitList),
    pairs: key => pairsOf(args(key)),
    keys: () =>
      sections
        .filter(({ name }) => name === section)
        .flatMap(({ lines }) => lines.map(([key]) => key)),
  }
}

function pairsOf(words: readonly string[]): readonly (readonly [string, string])[] {
  const pairs = new Map<string, string>()
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals >= 0) pairs.set(word.slice(0, equals), word.slice(equals + 1))
  }
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))
}
