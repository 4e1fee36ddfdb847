/** The one template form of manifests: references such as `${secrets.<name>}` in a text; `$${` is a literal `${`. */
import { ManifestError } from '../errors.ts'

/** What a text may refer to. There are no functions and no conditions. */
export type Reference =
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'config'; readonly name: string }
  /** A value of another app's `provides`; `alias` is the name of the entry of `needs`. */
  | { readonly kind: 'need'; readonly alias: string; readonly key: string }
  | { readonly kind: 'app'; readonly field: 'id' | 'version' }
  | { readonly kind: 'node'; readonly field: 'hostname' | 'tz' | 'lan-address' }
  /** The name by which other components reach this one. */
  | { readonly kind: 'component'; readonly name: string }

export type TemplatePart = { readonly kind: 'literal'; readonly text: string } | Reference

interface TemplateReading {
  readonly parts: readonly TemplatePart[]
  readonly problems: readonly string[]
}

/** What may stand between the braces, as people see it in messages and in docs/manifest.md. */
export const REFERENCE_FORMS = [
  'secrets.<name>',
  'config.<name>',
  'needs.<alias>.<key>',
  'app.id',
  'app.version',
  'node.hostname',
  'node.tz',
  'node.lan-address',
  'component.<name>.host',
] as const

const TOKEN = /\$\$\{|\$\{[^}]*\}?/g
const NAME = '([a-z][a-z0-9-]*)'
const SECRET = new RegExp(`^secrets\\.${NAME}$`)
const CONFIG = new RegExp(`^config\\.${NAME}$`)
const NEED = new RegExp(`^needs\\.${NAME}\\.${NAME}$`)
const COMPONENT = new RegExp(`^component\\.${NAME}\\.host$`)

const FIXED: ReadonlyMap<string, Reference> = new Map<string, Reference>([
  ['app.id', { kind: 'app', field: 'id' }],
  ['app.version', { kind: 'app', field: 'version' }],
  ['node.hostname', { kind: 'node', field: 'hostname' }],
  ['node.tz', { kind: 'node', field: 'tz' }],
  ['node.lan-address', { kind: 'node', field: 'lan-address' }],
])

/**
 * Splits a text into literals and references. No part is empty, neighbouring literals are one part.
 * @throws ManifestError `MANIFEST_INVALID` for a reference to something else, or one without its `}`.
 */
export function parseTemplate(text: string): readonly TemplatePart[] {
  const { parts, problems } = readTemplate(text)
  if (problems.length === 0) return parts
  throw new ManifestError('MANIFEST_INVALID', problems.join('; '), { problems })
}

/** The names of the secrets that a value holds, without repetition; wrong references are left out. */
export function secretReferences(text: string): readonly string[] {
  const names = readTemplate(text).parts.flatMap(part => (part.kind === 'secret' ? part.name : []))
  return [...new Set(names)]
}

/** What stands between the braces: `config.<name>`, `needs.<alias>.<key>`; the key of a table of values. */
export function referenceText(reference: Reference): string {
  switch (reference.kind) {
    case 'secret':
      return `secrets.${reference.name}`
    case 'config':
      return `config.${reference.name}`
    case 'need':
      return `needs.${reference.alias}.${reference.key}`
    case 'app':
    case 'node':
      return `${reference.kind}.${reference.field}`
    case 'component':
      return `component.${reference.name}.host`
  }
}

/** As `parseTemplate`, with the problems as values. */
export function readTemplate(text: string): TemplateReading {
  const parts: TemplatePart[] = []
  const problems: string[] = []
  let literal = ''
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    literal += text.slice(end, match.index)
    end = match.index + token.length
    if (token === '$${') {
      literal += '${'
      continue
    }
    const reference = token.endsWith('}') ? readReference(token.slice(2, -1)) : undefined
    if (reference === undefined) problems.push(unknownReference(token))
    else {
      if (literal !== '') parts.push({ kind: 'literal', text: literal })
      literal = ''
      parts.push(reference)
    }
  }
  literal += text.slice(end)
  if (literal !== '') parts.push({ kind: 'literal', text: literal })
  return { parts, problems }
}

function readReference(text: string): Reference | undefined {
  const secret = SECRET.exec(text)?.[1]
  if (secret !== undefined) return { kind: 'secret', name: secret }
  const config = CONFIG.exec(text)?.[1]
  if (config !== undefined) return { kind: 'config', name: config }
  const component = COMPONENT.exec(text)?.[1]
  if (component !== undefined) return { kind: 'component', name: component }
  const [, alias, key] = NEED.exec(text) ?? []
  if (alias !== undefined && key !== undefined) return { kind: 'need', alias, key }
  return FIXED.get(text)
}

function unknownReference(token: string): string {
  if (!token.endsWith('}')) return `${JSON.stringify(token.slice(0, 40))} has no closing "}"`
  const shown = JSON.stringify(token.slice(0, 80))
  const forms = REFERENCE_FORMS.map(form => `"\${${form}}"`).join(', ')
  return `unknown reference ${shown}; possible are ${forms}, and "$\${" stands for "\${"`
}
