/** Turns zod's issues into sentences for people: path, position, "did you mean". The only reader of zod's issue format. */
import type { z } from 'zod'
import type { Position } from './yaml.ts'

export interface SchemaProblem {
  /** For example `components.web.ports[0]`; empty for the document itself. */
  readonly path: string
  readonly message: string
  readonly position: Position | undefined
}

interface Located {
  positionOf(path: readonly PropertyKey[], key?: string): Position
}

/** One problem per issue; an unknown key gets a problem of its own with the nearest known key. */
export function explainIssues(
  error: z.ZodError,
  schema: z.ZodType,
  source?: Located,
): readonly SchemaProblem[] {
  return error.issues.flatMap(issue => {
    if (issue.code !== 'unrecognized_keys') {
      const position = source?.positionOf(issue.path)
      return [{ path: pathText(issue.path), message: issue.message, position }]
    }
    const known = knownKeysAt(schema, issue.path)
    return issue.keys.map(key => ({
      path: pathText([...issue.path, key]),
      message: `unknown key ${JSON.stringify(key)}${suggestion(key, known)}`,
      position: source?.positionOf(issue.path, key),
    }))
  })
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

function pathText(path: readonly PropertyKey[]): string {
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
