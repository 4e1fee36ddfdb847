/** What must hold between the fields of a manifest, in either form. Pure. */
import { appProblems } from './app-rules.ts'
import { componentProblems } from './component-rules.ts'
import { configProblems } from './config-rules.ts'
import { dependencyProblems } from './dependency-rules.ts'
import { grantProblems } from './grant-rules.ts'
import { healthProblems } from './health-rules.ts'
import { hookProblems } from './hook-rules.ts'
import { imageProblems } from './image-rules.ts'
import { mountProblems } from './mount-rules.ts'
import { networkProblems } from './network-rules.ts'
import { referenceProblems } from './reference-rules.ts'
import type { AnyManifest, RuleProblem } from './rule.ts'

/** One part of the rules each. */
const PARTS = [
  ...[
    configProblems,
    imageProblems,
    componentProblems,
    referenceProblems,
    healthProblems,
    dependencyProblems,
  ],
  ...[mountProblems, networkProblems, grantProblems, hookProblems, appProblems],
] as const

/** Every broken rule, with the path of the value to change. */
export function manifestProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return PARTS.flatMap(part => part(manifest))
}
