/** Puts secrets into a template. What comes out is a secret: it goes to Podman and nowhere else. Pure. */
import { parseTemplate, referenceText } from '../catalog/index.ts'
import { OrchestratorError } from './errors.ts'

/**
 * `own` by the name of the secret, `foreign` by the reference (`needs.db.password`).
 * @throws OrchestratorError `VALUE_MISSING`
 */
export function fillSecrets(
  template: string,
  own: ReadonlyMap<string, string>,
  foreign: ReadonlyMap<string, string>,
): string {
  const parts = parseTemplate(template).map(part => {
    if (part.kind === 'literal') return part.text
    const reference = referenceText(part)
    const value = part.kind === 'secret' ? own.get(part.name) : foreign.get(reference)
    if (value !== undefined) return value
    throw new OrchestratorError('VALUE_MISSING', `nothing is known for \${${reference}}`)
  })
  return parts.join('')
}
