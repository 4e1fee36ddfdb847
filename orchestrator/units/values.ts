/** What the references in a manifest's texts stand for: text, or something that only a Podman secret may hold. Pure. */
import { parseTemplate, referenceText, type TemplatePart } from '../../catalog/index.ts'
import { OrchestratorError } from '../errors.ts'

/**
 * By the text between the braces (`config.port`, `needs.db.password`, `node.tz`): everything that is no secret.
 * A value of a need that is missing here is a secret of the app that provides it. `absentNeed` marks an optional need that
 * is not on this machine: all of its values are "".
 */
export type Values = ReadonlyMap<string, string>

/** The key that `Values` has, with any value, for an optional need that nobody on this machine fulfils. */
export const absentNeed = (alias: string): string => `needs.${alias}`

export type Filled =
  | { readonly kind: 'plain'; readonly text: string }
  /**
   * With everything filled in but the secrets: `${secrets.x}` and needs. A template again, so that the Podman secret
   * named after it always has the same value.
   */
  | { readonly kind: 'secret'; readonly template: string }

/**
 * Fills in what is known.
 * @throws OrchestratorError `VALUE_MISSING` naming the reference; ManifestError `MANIFEST_INVALID`
 */
export function fillIn(template: string, values: Values): Filled {
  const parts = parseTemplate(template).map(part => fillPart(part, values))
  const isSecret = parts.some(part => part.kind !== 'literal')
  if (!isSecret) return { kind: 'plain', text: parts.map(textOf).join('') }
  const written = parts.map(part =>
    part.kind === 'literal'
      ? part.text.replaceAll('${', () => '$${')
      : `\${${referenceText(part)}}`,
  )
  return { kind: 'secret', template: written.join('') }
}

function fillPart(part: TemplatePart, values: Values): TemplatePart {
  if (part.kind === 'literal' || part.kind === 'secret') return part
  const reference = referenceText(part)
  const text = values.get(reference)
  if (text !== undefined) return { kind: 'literal', text }
  if (part.kind === 'need') {
    return values.has(absentNeed(part.alias)) ? { kind: 'literal', text: '' } : part
  }
  throw new OrchestratorError('VALUE_MISSING', `nothing is known for \${${reference}}`)
}

const textOf = (part: TemplatePart): string => (part.kind === 'literal' ? part.text : '')
