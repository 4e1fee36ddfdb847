/** What must hold between the fields of a manifest, in either form. Pure. */
import { componentProblems } from './component-rules.ts'
import { dependencyProblems } from './dependency-rules.ts'
import { mountProblems } from './mount-rules.ts'
import { networkProblems } from './network-rules.ts'
import type { AnyManifest, RuleProblem } from './rule.ts'

/** Every broken rule, with the path of the value to change. */
export function manifestProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return [
    ...componentProblems(manifest),
    ...dependencyProblems(manifest),
    ...mountProblems(manifest),
    ...networkProblems(manifest),
  ]
}
