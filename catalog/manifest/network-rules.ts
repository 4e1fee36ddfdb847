/** Rules for ports, aliases and interfaces: what is reachable is reachable once, and by one name. */
import { type AnyManifest, problem, type RuleProblem, unknownName } from './rule.ts'

export function networkProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return [...hostPortProblems(manifest), ...aliasProblems(manifest), ...interfaceProblems(manifest)]
}

interface Claim {
  readonly key: string
  readonly path: readonly PropertyKey[]
  readonly shown: string
}

function hostPortProblems({ components }: AnyManifest): readonly RuleProblem[] {
  const claims = Object.entries(components).flatMap(([name, { ports }]) =>
    ports.map(
      ({ host, protocol }, index): Claim => ({
        key: `${host}/${protocol}`,
        path: ['components', name, 'ports', index, 'host'],
        shown: `host port ${host}/${protocol} is already published by components.`,
      }),
    ),
  )
  return repeated(claims)
}

function aliasProblems({ components }: AnyManifest): readonly RuleProblem[] {
  const claims = Object.entries(components).flatMap(([name, component]) =>
    (component.aliases ?? [name]).map((alias, index): Claim => {
      const path = ['components', name]
      return {
        key: alias,
        path: component.aliases === undefined ? path : [...path, 'aliases', index],
        shown: `the alias ${alias} is already taken by components.`,
      }
    }),
  )
  return repeated(claims)
}

/** A problem for every claim whose key an earlier one holds, naming the component of that one. */
function repeated(claims: readonly Claim[]): readonly RuleProblem[] {
  const holders = new Map<string, Claim>()
  return claims.flatMap(claim => {
    const holder = holders.get(claim.key)
    if (holder === undefined) holders.set(claim.key, claim)
    return problem(claim.path, holder && `${claim.shown}${String(holder.path[1])}`)
  })
}

function interfaceProblems(manifest: AnyManifest): readonly RuleProblem[] {
  const ids = manifest.interfaces.map(({ id }) => id)
  return manifest.interfaces.flatMap(({ id, component, port, protocol }, index) => {
    const at = ['interfaces', index]
    const unknown = unknownName('component', component, manifest.components)
    if (unknown !== undefined) return problem([...at, 'component'], unknown)
    const ports = manifest.components[component]?.ports ?? []
    const wanted = protocol === 'udp' ? 'udp' : 'tcp'
    const isPublished = ports.some(p => p.host === port && p.protocol === wanted)
    const published = ports.map(p => `${p.host}/${p.protocol}`).join(', ') || 'none'
    return [
      ...problem([...at, 'id'], ids.indexOf(id) < index && `the id ${id} is already used`),
      ...problem(
        [...at, 'port'],
        !isPublished &&
          `components.${component} publishes no host port ${port}/${wanted} (it publishes: ${published})`,
      ),
    ]
  })
}
