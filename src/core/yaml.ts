/** YAML text to plain data that remembers line and column of every value, and back. The only importer of `yaml`. */
import { isMap, isScalar, LineCounter, type Node, parseDocument, stringify } from 'yaml'

/** Where something stands in a text file; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface YamlDocument {
  readonly value: unknown
  /** Syntax errors and duplicate keys, each with its position. `value` is `undefined` when there are any. */
  readonly errors: readonly { readonly message: string; readonly position: Position }[]
  /** The position of the value at `path`, or of the nearest parent that exists. With `key`, of that key itself. */
  positionOf(path: readonly PropertyKey[], key?: string): Position
}

/** Enough for any manifest or configuration; aliases cannot multiply it. */
const ALIAS_COUNT_MAX = 16

/** Parses one YAML 1.2 document: duplicate keys are errors, merge keys are off, aliases are bounded. */
export function parseYaml(text: string): YamlDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    uniqueKeys: true,
    merge: false,
    lineCounter: lines,
    prettyErrors: false,
  })
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const errors = document.errors.map(e => ({ message: e.message, position: at(e.pos[0]) }))
  const positionOf = (path: readonly PropertyKey[], key?: string): Position => {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = document.getIn(path.slice(0, depth), true) as Node | undefined
      const offset = offsetIn(node, depth === path.length ? key : undefined)
      if (offset !== undefined) return at(offset)
    }
    return at(0)
  }
  if (errors.length > 0) return { value: undefined, errors, positionOf }
  try {
    return { value: document.toJS({ maxAliasCount: ALIAS_COUNT_MAX }), errors, positionOf }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { value: undefined, errors: [{ message, position: at(0) }], positionOf }
  }
}

/** Plain data as YAML 1.2 that `parseYaml` reads back; lines are never folded. */
export function formatYaml(value: unknown): string {
  return stringify(value, { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false })
}

function offsetIn(node: Node | undefined | null, key: string | undefined): number | undefined {
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === key)
    const range = (pair?.key as Node | undefined)?.range
    if (range) return range[0]
  }
  return node?.range?.[0]
}
