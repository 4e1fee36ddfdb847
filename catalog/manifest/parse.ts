/** From bytes that nobody checked to a manifest that is well-formed and consistent, in both forms. */
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { messageOf } from '../../src/core/errors.ts'
import {
  explainIssues,
  formatProblem,
  pathText,
  type SchemaProblem,
} from '../../src/core/schema.ts'
import { parseYaml, type YamlDocument } from '../../src/core/yaml.ts'
import { ManifestError } from '../errors.ts'
import type { RuleProblem } from './rule.ts'
import { manifestProblems } from './rules.ts'
import {
  type AppManifest,
  type AuthorManifest,
  authorManifestSchema,
  publishedManifestSchema,
} from './schema.ts'

/** Forty times the largest manifest of the apps we looked at. */
export const AUTHOR_MANIFEST_BYTES_MAX = 256 * 1024
/** The published form also lists every blob of every image. */
export const PUBLISHED_MANIFEST_BYTES_MAX = 1024 * 1024
/** What a published manifest is called in messages where it has no file name. */
const PUBLISHED = 'manifest'
/** More would not be read. */
const PROBLEMS_SHOWN_MAX = 50

/**
 * Reads what a person wrote. Top-level keys that start with `x-` are the author's own and are left out.
 * @throws ManifestError `MANIFEST_INVALID` with every problem as `file:line:column: path: message`.
 */
export function parseAuthorManifest(text: string, fileName: string): AuthorManifest {
  const size = Buffer.byteLength(text)
  if (size > AUTHOR_MANIFEST_BYTES_MAX) {
    throw invalid(fileName, [
      `${fileName}: has ${size} bytes; the limit is ${AUTHOR_MANIFEST_BYTES_MAX}`,
    ])
  }
  const document = parseYaml(text)
  const show = (problem: SchemaProblem): string => formatProblem(fileName, problem)
  if (document.errors.length > 0) {
    throw invalid(
      fileName,
      document.errors.map(error => show({ path: '', ...error })),
    )
  }
  const parsed = authorManifestSchema.safeParse(withoutOwnKeys(document.value))
  if (!parsed.success) {
    throw invalid(fileName, explainIssues(parsed.error, authorManifestSchema, document).map(show))
  }
  const problems = [...hiddenKeys(document.value), ...manifestProblems(parsed.data)]
  if (problems.length > 0)
    throw invalid(
      fileName,
      problems.map(problem => show(located(problem, document))),
    )
  return parsed.data
}

/**
 * Reads what a publisher's tool wrote: canonical JSON and nothing else, so that one manifest has one address.
 * @throws ManifestError `MANIFEST_INVALID` with every problem as `<name>: path: message`.
 */
export function parsePublishedManifest(bytes: Uint8Array, name = PUBLISHED): AppManifest {
  if (bytes.length > PUBLISHED_MANIFEST_BYTES_MAX) {
    throw invalid(name, [
      `${name}: has ${bytes.length} bytes; the limit is ${PUBLISHED_MANIFEST_BYTES_MAX}`,
    ])
  }
  const value = parseCanonicalJson(bytes, name)
  const parsed = publishedManifestSchema.safeParse(value)
  const show = (problem: SchemaProblem): string => formatProblem(name, problem)
  if (!parsed.success) {
    throw invalid(name, explainIssues(parsed.error, publishedManifestSchema).map(show))
  }
  const problems = [...hiddenKeys(value), ...manifestProblems(parsed.data)]
  if (problems.length > 0)
    throw invalid(
      name,
      problems.map(problem => show(located(problem))),
    )
  return parsed.data
}

function parseCanonicalJson(bytes: Uint8Array, name: string): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (Buffer.compare(canonicalJson(value), bytes) === 0) return value
  } catch (error) {
    throw invalid(name, [`${name}: is not canonical JSON: ${messageOf(error)}`], error)
  }
  throw invalid(name, [`${name}: is not canonical JSON: other bytes stand for the same value`])
}

function withoutOwnKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
}

/** The schema library passes over this one key in silence, so it would get lost. */
function hiddenKeys(value: unknown, path: readonly PropertyKey[] = []): readonly RuleProblem[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '__proto__'
      ? [{ path: [...path, key], message: 'this name is not possible' }]
      : hiddenKeys(inner, [...path, key]),
  )
}

function located({ path, message }: RuleProblem, document?: YamlDocument): SchemaProblem {
  return { path: pathText(path), message, position: document?.positionOf(path) }
}

function invalid(file: string, problems: readonly string[], cause?: unknown): ManifestError {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX)
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return new ManifestError('MANIFEST_INVALID', `${file} has ${count}`, { problems: shown, cause })
}
