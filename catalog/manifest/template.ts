/** The one template form of manifests: `${secrets.<name>}` inside an environment value; `$${` is a literal `${`. */
import { ManifestError } from '../errors.ts'

export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'secret'; readonly name: string }

interface TemplateReading {
  readonly parts: readonly TemplatePart[]
  readonly problems: readonly string[]
}

const TOKEN = /\$\$\{|\$\{[^}]*\}?/g
const SECRET = /^\$\{secrets\.([a-z][a-z0-9-]*)\}$/

/**
 * Splits a value into literal text and references. No part is empty, neighbouring literals are one part.
 * @throws ManifestError `MANIFEST_INVALID` for a reference to anything but a secret, or one without its `}`.
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
    const name = SECRET.exec(token)?.[1]
    if (token === '$${') literal += '${'
    else if (name === undefined) problems.push(unknownReference(token))
    else {
      if (literal !== '') parts.push({ kind: 'literal', text: literal })
      literal = ''
      parts.push({ kind: 'secret', name })
    }
  }
  literal += text.slice(end)
  if (literal !== '') parts.push({ kind: 'literal', text: literal })
  return { parts, problems }
}

function unknownReference(token: string): string {
  if (!token.endsWith('}')) return `${JSON.stringify(token.slice(0, 40))} has no closing "}"`
  const shown = JSON.stringify(token.slice(0, 80))
  return `unknown reference ${shown}; only "\${secrets.<name>}" is filled in, and "$\${" stands for "\${"`
}
