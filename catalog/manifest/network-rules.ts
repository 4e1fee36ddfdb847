/** Rules for ports, networks, aliases and interfaces: what is reachable is reachable once, and by one name. */
import {
  type AnyManifest,
  type Claim,
  problem,
  type RuleProblem,
  repeated,
  unknownName,
  usesHostNetwork,
} from './rule.ts'

/** The one that every app has, and every component joins that names no other. */
const DEFAULT_NETWORK = 'default'

export function networkProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return [
    ...hostPortProblems(manifest),
    ...joinProblems(manifest),
    ...repeated('network.alias', aliasClaims(manifest)),
    ...interfaceProblems(manifest),
  ]
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
  return repeated('port.host', claims)
}

function joinProblems(manifest: AnyManifest): readonly RuleProblem[] {
  const known = { ...manifest.networks, [DEFAULT_NETWORK]: {} }
  const declared = problem(
    'network.default',
    ['networks', DEFAULT_NETWORK],
    Object.hasOwn(manifest.networks, DEFAULT_NETWORK) &&
      'every app has this network; delete it here and join it by its name',
  )
  const joined = Object.entries(manifest.components).flatMap(([name, { networks, aliases }]) => {
    if (networks === undefined) return []
    const at = ['components', name]
    const isOnDefault = Object.hasOwn(networks, DEFAULT_NETWORK)
    return [
      ...Object.keys(networks).flatMap(network =>
        problem(
          'network.exists',
          [...at, 'networks', network],
          unknownName('network', network, known),
        ),
      ),
      ...problem(
        'network.aliases',
        [...at, 'aliases'],
        aliases !== undefined &&
          (!isOnDefault || networks[DEFAULT_NETWORK]?.aliases !== undefined) &&
          `is for the network ${DEFAULT_NETWORK} of a component without networks; write networks: { <name>: { aliases } }`,
      ),
    ]
  })
  return [...declared, ...joined]
}

/** Every name of every component, on every network it joins. */
function aliasClaims({ components }: AnyManifest): readonly Claim[] {
  return Object.entries(components).flatMap(([name, component]) => {
    const path = ['components', name]
    const { aliases, networks } = component
    if (usesHostNetwork(component)) return []
    const claim = (network: string, alias: string, at: readonly PropertyKey[]): Claim => ({
      key: `${network}/${alias}`,
      path: [...path, ...at],
      shown: `the alias ${alias} is already taken, on the network ${network}, by components.`,
    })
    const joined = Object.entries(networks ?? { [DEFAULT_NETWORK]: {} })
    return joined.flatMap(([network, { aliases: own }]) => {
      if (own !== undefined) {
        return own.map((alias, index) =>
          claim(network, alias, ['networks', network, 'aliases', index]),
        )
      }
      const isNamed = network === DEFAULT_NETWORK && aliases !== undefined
      return isNamed
        ? aliases.map((alias, index) => claim(network, alias, ['aliases', index]))
        : claim(network, name, [])
    })
  })
}

function interfaceProblems(manifest: AnyManifest): readonly RuleProblem[] {
  const ids = manifest.interfaces.map(({ id }) => id)
  return manifest.interfaces.flatMap(({ id, component, port, protocol }, index) => {
    const at = ['interfaces', index]
    const unknown = unknownName('component', component, manifest.components)
    if (unknown !== undefined) return problem('interface.component', [...at, 'component'], unknown)
    const owner = manifest.components[component]
    const ports = owner?.ports ?? []
    const isOnMachine = owner !== undefined && usesHostNetwork(owner)
    const wanted = protocol === 'udp' ? 'udp' : 'tcp'
    const isPublished = ports.some(p => p.host === port && p.protocol === wanted)
    const published = ports.map(p => `${p.host}/${p.protocol}`).join(', ') || 'none'
    return [
      ...problem(
        'interface.id',
        [...at, 'id'],
        ids.indexOf(id) < index && `the id ${id} is already used`,
      ),
      ...problem(
        'interface.port',
        [...at, 'port'],
        !isPublished &&
          !isOnMachine &&
          `components.${component} publishes no host port ${port}/${wanted} (it publishes: ${published})`,
      ),
    ]
  })
}
