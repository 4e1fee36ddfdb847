/** From bytes that nobody checked to a manifest that is well-formed and consistent, in both forms. */
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { messageOf } from '../../src/core/errors.ts'
import { formatProblem } from '../../src/core/schema.ts'
import { type Position, parseYaml, type YamlDocument } from '../../src/core/yaml.ts'
import { ManifestError } from '../errors.ts'
import { type ManifestProblem, readManifestValue } from './read.ts'
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
 * @throws ManifestError `MANIFEST_INVALID` with every problem as `file:line:column: path: message [rule]`.
 */
export function parseAuthorManifest(text: string, fileName: string): AuthorManifest {
  const { manifest, problems } = readAuthorManifest(text)
  if (manifest !== undefined) return manifest
  throw invalid(
    fileName,
    problems.map(problem => manifestProblemText(fileName, problem)),
  )
}

/** As `parseAuthorManifest`, with the problems as values. */
export function readAuthorManifest(text: string): AuthorReading {
  const sizeBytes = Buffer.byteLength(text)
  if (sizeBytes > AUTHOR_MANIFEST_BYTES_MAX) {
    return unreadable([
      {
        message: `has ${sizeBytes} bytes; the limit is ${AUTHOR_MANIFEST_BYTES_MAX}`,
        position: { line: 1, column: 1 },
      },
    ])
  }
  const document = parseYaml(text)
  if (document.errors.length > 0) return unreadable(document.errors)
  return {
    ...readManifestValue(authorManifestSchema, withoutOwnKeys(document.value), document),
    document,
  }
}

/** `document` knows where everything stands; a text that is no YAML has none. */
export type AuthorReading = ReturnType<typeof readManifestValue<AuthorManifest>> & {
  readonly document?: YamlDocument
}

function unreadable(
  errors: readonly { readonly message: string; readonly position: Position }[],
): AuthorReading {
  const problems = errors.map(({ message, position }): ManifestProblem => {
    return { rule: 'form.yaml', path: '', message, position }
  })
  return { manifest: undefined, problems }
}

/** `file:line:column: path: message [rule]`, leaving out what is not known. */
export function manifestProblemText(file: string, problem: ManifestProblem): string {
  return `${formatProblem(file, problem)} [${problem.rule}]`
}

/**
 * Reads what a publisher's tool wrote: canonical JSON and nothing else, so that one manifest has one address.
 * @throws ManifestError `MANIFEST_INVALID` with every problem as `<name>: path: message [rule]`.
 */
export function parsePublishedManifest(bytes: Uint8Array, name = PUBLISHED): AppManifest {
  if (bytes.length > PUBLISHED_MANIFEST_BYTES_MAX) {
    throw invalid(name, [
      `${name}: has ${bytes.length} bytes; the limit is ${PUBLISHED_MANIFEST_BYTES_MAX}`,
    ])
  }
  const value = parseCanonicalJson(bytes, name)
  const { manifest, problems } = readManifestValue(publishedManifestSchema, value)
  if (manifest !== undefined) return manifest
  throw invalid(
    name,
    problems.map(problem => manifestProblemText(name, problem)),
  )
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

function invalid(file: string, problems: readonly string[], cause?: unknown): ManifestError {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX)
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return new ManifestError('MANIFEST_INVALID', `${file} has ${count}`, { problems: shown, cause })
}
