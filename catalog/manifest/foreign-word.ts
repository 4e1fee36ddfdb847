/** What people bring from Compose, Quadlet and other manifests: the form of an entry of the two tables. */
import type { REFUSED_WORDS } from './refused-words.ts'
import type { RENAMED_WORDS } from './renamed-words.ts'

/** One construct that manifests do not have. It is looked for only where the schema refused something. */
export interface ForeignWord {
  /** Keys that the schema does not know, compared without case, `_` and `-`. */
  readonly keys?: readonly string[]
  /** Where those keys stand, by the place of the mapping around them; everywhere by default. */
  readonly in?: readonly string[]
  /** Or a value that the schema refused, by its place; `*` is any one part. */
  readonly at?: readonly string[]
  /** What that value looks like: its text, or `[list]`, or `{mapping}`. */
  readonly value?: RegExp
  readonly why: string
  readonly instead: string
}

/** `refused.…`: would give an app more than any app may have. `instead.…`: has another form here. */
export type ForeignRule = keyof typeof REFUSED_WORDS | keyof typeof RENAMED_WORDS
