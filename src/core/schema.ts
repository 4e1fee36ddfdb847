/** Turns zod's issues into sentences for people: path, position, "did you mean". The only reader of zod's issue format. */
import type { z } from 'zod'
import type { Position } from './yaml.ts'

export interface SchemaProblem {
  /** For example `components.web.ports[0]`; empty for the document itself. */
  readonly path: string
  readonly message: string
  readonly position: Position | undefined
}

/** A problem with where it is in the data, for who knows more about it. */
export interface SchemaIssue extends SchemaProblem {
  /** The path of the value, or of the unknown key. */
  readonly keys: readonly PropertyKey[]
  readonly isUnknownKey: boolean
  readonly isMissing: boolean
}

interface Located {
  positionOf(path: readonly PropertyKey[], key?: string): Position
}

/** One problem per issue; an unknown key gets a problem of its own with the nearest known key. */
export function explainIssues(
  error: z.ZodError,
  schema: z.ZodType,
  source?: Located,
): readonly SchemaIssue[] {
  return error.issues.flatMap(issue => explainIssue(issue, schema, source, []))
}

function explainIssue(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  source: Located | undefined,
  parent: readonly PropertyKey[],
): readonly SchemaIssue[] {
  const path = [...parent, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeysAt(schema, path)
    return issue.keys.map(key => ({
      path: pathText([...path, key]),
      message: `unknown key ${JSON.stringify(key)}${suggestion(key, known)}`,
      position: source?.positionOf(path, key),
      keys: [...path, key],
      isUnknownKey: true,
      isMissing: false,
    }))
  }
  const nearest = issue.code === 'invalid_union' ? nearestBranch(issue.errors) : undefined
  if (nearest !== undefined) {
    return nearest.flatMap(inner => explainIssue(inner, schema, source, path))
  }
  const message = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined
  const position =
    issue.code === 'invalid_key'
      ? source?.positionOf(path.slice(0, -1), String(path.at(-1)))
      : source?.positionOf(path)
  const text = readable(message ?? issue.message)
  const isMissing = text.startsWith(MISSING)
  return [
    { path: pathText(path), message: text, position, keys: path, isUnknownKey: false, isMissing },
  ]
}

/** The alternative of a union that the author most likely meant: the one with the fewest wrong or missing keys. */
function nearestBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  const distance = (issues: readonly z.core.$ZodIssue[]): number =>
    issues
      .map(issue => (issue.code === 'unrecognized_keys' ? issue.keys.length : 1))
      .reduce((sum, count) => sum + count, 0)
  return [...branches].sort((a, b) => distance(a) - distance(b))[0]
}

const MISSING = 'is missing'

/** Says "is missing" where zod says "received undefined", which means nothing to the author of a file. */
function readable(message: string): string {
  return message.replace(
    /^Invalid input: expected (\w+), received undefined$/,
    `${MISSING} (expected $1)`,
  )
}

/** `file:line:column: path: message`, leaving out what is not known. */
export function formatProblem(file: string, problem: SchemaProblem): string {
  const place =
    problem.position === undefined
      ? file
      : `${file}:${problem.position.line}:${problem.position.column}`
  return [place, problem.path, problem.message].filter(part => part !== '').join(': ')
}

/** `; did you mean "x"?` when a known word is at most two edits away, else the empty string. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = known
    .map(candidate => ({ candidate, edits: editDistance(word, candidate) }))
    .filter(({ candidate, edits }) => edits <= Math.min(2, Math.floor(candidate.length / 2)))
    .sort((a, b) => a.edits - b.edits)[0]
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near.candidate)}?`
}

/** `['components', 'web', 'ports', 0]` as people write it: `components.web.ports[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}

interface SchemaDefinition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly options?: readonly z.ZodType[]
}

function knownKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const definition = schema.def as unknown as SchemaDefinition
  const inner = definition.innerType ?? definition.in
  if (inner !== undefined) return knownKeysAt(inner, path)
  if (definition.options !== undefined) return definition.options.flatMap(o => knownKeysAt(o, path))
  const [head, ...rest] = path
  if (head === undefined) return Object.keys(definition.shape ?? {})
  const next = definition.shape?.[String(head)] ?? definition.element ?? definition.valueType
  return next === undefined ? [] : knownKeysAt(next, rest)
}

/** Levenshtein distance, with a transposition of neighbours counted as one edit. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const swap =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (rows[i - 2]?.[j - 2] ?? 99) + 1 : 99
      const replace = (rows[i - 1]?.[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replace, swap))
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 99
}
