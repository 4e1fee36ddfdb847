/** Reads a manifest of either form and gives every problem as a value: rule, place, and what to write. Pure. */

import type { z } from 'zod'
import {
  explainIssues,
  pathText,
  type SchemaIssue,
  type SchemaProblem,
} from '../../src/core/schema.ts'
import type { YamlDocument } from '../../src/core/yaml.ts'
import { foreignProblems } from './foreign.ts'
import type { ForeignRule } from './foreign-word.ts'
import type { AnyManifest } from './rule.ts'
import type { RuleId } from './rule-ids.ts'
import { manifestProblems } from './rules.ts'

export interface ManifestProblem extends SchemaProblem {
  readonly rule: RuleId | ForeignRule
}

type Reading<M> =
  | { readonly manifest: M; readonly problems: readonly never[] }
  | { readonly manifest: undefined; readonly problems: readonly ManifestProblem[] }

/**
 * Checks the form of `value`, then, if that is right, the rules between its fields.
 * @param document knows line and column of every value; a published manifest has none
 */
export function readManifestValue<M extends AnyManifest>(
  schema: z.ZodType<M>,
  value: unknown,
  document?: YamlDocument,
): Reading<M> {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const issues = explainIssues(parsed.error, schema, document)
    return { manifest: undefined, problems: schemaProblems(issues, value, document) }
  }
  const problems = [...hiddenKeys(value), ...manifestProblems(parsed.data)].map(
    ({ rule, path, message }) => ({
      rule,
      path: pathText(path),
      message,
      position: document?.positionOf(path),
    }),
  )
  return problems.length === 0
    ? { manifest: parsed.data, problems: [] }
    : { manifest: undefined, problems }
}

/** A construct from elsewhere says all there is to say; the keys that are missing beside it would only distract. */
function schemaProblems(
  issues: readonly SchemaIssue[],
  root: unknown,
  document: YamlDocument | undefined,
): readonly ManifestProblem[] {
  const explained = issues.map(issue => ({ issue, foreign: foreignProblems(issue, root) }))
  const brought = new Set(
    explained
      .filter(({ issue, foreign }) => issue.isUnknownKey && foreign.length > 0)
      .map(({ issue }) => parentOf(issue)),
  )
  return explained.flatMap(({ issue, foreign }): readonly ManifestProblem[] => {
    if (foreign.length > 0) {
      return foreign.map(({ rule, path, isKey, message }) => ({
        ...{ rule, path: pathText(path), message },
        position: isKey ? issue.position : document?.positionOf(path),
      }))
    }
    const parent = parentOf(issue)
    if (issue.isMissing && parent !== '' && brought.has(parent)) return []
    const { path, message, position } = issue
    return [{ rule: issue.isUnknownKey ? 'form.key' : 'form.value', path, message, position }]
  })
}

function parentOf({ keys }: SchemaIssue): string {
  return pathText(keys.slice(0, -1))
}

/** The schema library passes over this one key in silence, so it would get lost. */
function hiddenKeys(value: unknown, path: readonly PropertyKey[] = []) {
  const found: { rule: RuleId; path: readonly PropertyKey[]; message: string }[] = []
  if (typeof value !== 'object' || value === null) return found
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, key]
    if (key === '__proto__')
      found.push({ rule: 'form.key', path: at, message: 'this name is not possible' })
    else found.push(...hiddenKeys(inner, at))
  }
  return found
}
