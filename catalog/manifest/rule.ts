/** What every rule file of manifests shares: the form of a problem, and the words for an unknown name. */
import { suggestion } from '../../src/core/schema.ts'
import type { RuleId } from './rule-ids.ts'
import type { AppManifest } from './schema.ts'

/** A manifest of either form: what its images are does not matter to the rules. */
export type AnyManifest = Omit<AppManifest, 'images'> & {
  readonly images: Readonly<Record<string, unknown>>
}

export interface RuleProblem {
  readonly rule: RuleId
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Says what is unknown and what is near; own keys only, so that `constructor` is not a known name. */
export function unknownName(kind: string, name: string, known: object): string | undefined {
  if (Object.hasOwn(known, name)) return undefined
  return `there is no ${kind} ${JSON.stringify(name)}${suggestion(name, Object.keys(known))}`
}

/** Nothing when the condition is false or there is no message. */
export function problem(
  rule: RuleId,
  path: readonly PropertyKey[],
  message: string | false | undefined,
): readonly RuleProblem[] {
  return message === false || message === undefined ? [] : [{ rule, path, message }]
}

/** Whether a component uses the network of the machine itself: then no port and no name of it is declared. */
export function usesHostNetwork(component: AnyManifest['components'][string]): boolean {
  return component.grants['host-network'] !== undefined
}

/** A problem for every claim whose key an earlier one holds; `shown` is followed by the component of that one. */
export function repeated(rule: RuleId, claims: readonly Claim[]): readonly RuleProblem[] {
  const holders = new Map<string, Claim>()
  return claims.flatMap(claim => {
    const holder = holders.get(claim.key)
    if (holder === undefined) holders.set(claim.key, claim)
    return problem(rule, claim.path, holder && `${claim.shown}${String(holder.path[1])}`)
  })
}

/** Something that only one may have. */
export interface Claim {
  readonly key: string
  /** Of the value to change; its second part is the component's name. */
  readonly path: readonly PropertyKey[]
  readonly shown: string
}
