/** Finds in what the schema refused the constructs that people bring from elsewhere, and says what to write. Pure. */
import type { SchemaIssue } from '../../src/core/schema.ts'
import type { ForeignRule, ForeignWord } from './foreign-word.ts'
import { REFUSED_WORDS } from './refused-words.ts'
import { RENAMED_WORDS } from './renamed-words.ts'

/** In the order in which they are tried: what is refused for safety comes first. */
export const FOREIGN_WORDS: readonly (ForeignWord & { readonly rule: ForeignRule })[] =
  Object.entries<ForeignWord>({ ...REFUSED_WORDS, ...RENAMED_WORDS }).map(([rule, word]) => ({
    ...word,
    rule: rule as ForeignRule,
  }))

export interface ForeignProblem {
  readonly rule: ForeignRule
  readonly path: readonly PropertyKey[]
  /** The unknown key of `path` is meant, not its value. */
  readonly isKey: boolean
  readonly message: string
}

/** Below these unknown keys stand places of the machine. */
const SOURCE_KEYS: ReadonlySet<string> = new Set([
  'volumes',
  'volume',
  'source',
  'src',
  'bind',
  'binds',
])
/** Places in the container: the same words there mean no harm. */
const TARGET_KEYS: ReadonlySet<string> = new Set(['target', 'dst', 'destination', 'path', 'type'])
/** Where the places of the machine would stand if manifests had them; the table names it so. */
const SOURCE_PLACE = ['components', '', 'mounts', '']
/** More would not be read. */
const LEAVES_MAX = 100
const SHOWN_LENGTH_MAX = 80

/**
 * What `issue` is known as, and every dangerous place inside the value below an unknown key.
 * @param root the whole document, as it was read
 */
export function foreignProblems(issue: SchemaIssue, root: unknown): readonly ForeignProblem[] {
  const { keys, isUnknownKey, isMissing } = issue
  if (isMissing) return []
  const value = valueAt(root, keys)
  if (!isUnknownKey) return problemOf(wordAt(keys, value), keys, shown(value))
  const key = String(keys.at(-1))
  const dangers = SOURCE_KEYS.has(plain(key)) ? leavesOf(value, keys).slice(0, LEAVES_MAX) : []
  return [
    ...problemOf(wordFor(keys), keys, JSON.stringify(key), true),
    ...dangers.flatMap(({ path, text }) =>
      problemOf(wordAt(SOURCE_PLACE, text), path, shown(text)).filter(({ rule }) =>
        Object.hasOwn(REFUSED_WORDS, rule),
      ),
    ),
  ]
}

function problemOf(
  word: (typeof FOREIGN_WORDS)[number] | undefined,
  path: readonly PropertyKey[],
  what: string,
  isKey = false,
): readonly ForeignProblem[] {
  if (word === undefined) return []
  const message = `${what} is not possible: ${word.why}. Instead: ${word.instead}`
  return [{ rule: word.rule, path, isKey, message }]
}

function wordFor(path: readonly PropertyKey[]) {
  const key = plain(String(path.at(-1)))
  const around = path.slice(0, -1)
  return FOREIGN_WORDS.find(
    word =>
      (word.keys ?? []).some(known => plain(known) === key) &&
      (word.in ?? ['**']).some(place => place === '**' || isPlace(place, around)),
  )
}

function wordAt(path: readonly PropertyKey[], value: unknown) {
  const form = formOf(value)
  return FOREIGN_WORDS.find(
    word => (word.at ?? []).some(place => isPlace(place, path)) && word.value?.test(form) === true,
  )
}

/** Whether `path` is the place that a pattern such as `components.*.image` names. */
function isPlace(pattern: string, path: readonly PropertyKey[]): boolean {
  const parts = pattern.split('.')
  return (
    parts.length === path.length &&
    parts.every((part, index) => part === '*' || part === String(path[index]))
  )
}

function formOf(value: unknown): string {
  if (Array.isArray(value)) return '[list]'
  return typeof value === 'object' && value !== null ? '{mapping}' : String(value)
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value) ? 'a list' : 'a mapping'
  }
  return JSON.stringify(String(value).slice(0, SHOWN_LENGTH_MAX))
}

/** `cap_add`, `CapAdd` and `cap-add` are one word. */
function plain(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '')
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    root,
  )
}

interface Leaf {
  readonly path: readonly PropertyKey[]
  readonly text: string
}

/** Every text inside a value, with its path. The document's size bounds both. */
function leavesOf(value: unknown, path: readonly PropertyKey[]): readonly Leaf[] {
  if (typeof value === 'string') return [{ path, text: value }]
  if (typeof value !== 'object' || value === null) return []
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([key, inner]) =>
    TARGET_KEYS.has(key) ? [] : leavesOf(inner, [...path, isList ? Number(key) : key]),
  )
}
