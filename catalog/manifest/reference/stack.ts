/** What can be said only when all members of a stack are translated: who waits for whom, and by which names. Pure. */
import type { ManifestDraft, TranslationReport } from '../reference-platform.ts'
import { isMapping } from './values.ts'

/**
 * @param hosts names by which members reached each other there → component; the app's own id is not among them, because
 * it also is the name of users and databases
 */
export function joinMembers(
  draft: ManifestDraft,
  report: TranslationReport,
  hosts: ReadonlyMap<string, string>,
): void {
  for (const [name, component] of Object.entries(draft.components)) {
    for (const other of Object.keys(component.dependsOn)) {
      const health = draft.components[other]?.health
      const isAskedInside = isMapping(health) && health.exec !== undefined
      if (isAskedInside) component.dependsOn[other] = { condition: 'healthy' }
    }
    for (const [key, text] of Object.entries(component.env)) {
      const named = withReferences(text, hosts)
      component.env[key] = named
      const from = `components.${name}.env.${key}`
      if (named !== text) report.approximated.push({ from, note: `names a member: ${named}` })
    }
  }
}

/** Whole words only, and none inside a reference. */
function withReferences(text: string, hosts: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{[^}]*\}|[A-Za-z0-9][A-Za-z0-9_-]*/g, word => {
    const component = hosts.get(word)
    return component === undefined ? word : `\${component.${component}.host}`
  })
}
