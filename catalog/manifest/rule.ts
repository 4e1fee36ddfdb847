/** What every rule file of manifests shares: the form of a problem, and the words for an unknown name. */
import { suggestion } from '../../src/core/schema.ts'
import type { AppManifest } from './schema.ts'

/** A manifest of either form: what its images are does not matter to the rules. */
export type AnyManifest = Omit<AppManifest, 'images'> & {
  readonly images: Readonly<Record<string, unknown>>
}

export interface RuleProblem {
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
  path: readonly PropertyKey[],
  message: string | false | undefined,
): readonly RuleProblem[] {
  return message === false || message === undefined ? [] : [{ path, message }]
}
