/** Which container on this machine is which component of an app, or why that cannot be said. Pure. */
import type { AppManifest, Component, Platform } from '../../catalog/index.ts'
import { containerName } from '../names.ts'
import type { InspectedContainer, InspectedMount } from './inspected.ts'

export interface Match {
  readonly component: string
  readonly container: InspectedContainer
  /** The service that runs it, from a Quadlet file or `podman generate systemd`; undefined for a bare one. */
  readonly unit: string | undefined
}

export interface Pin {
  readonly set: string
  /** Where the data set is and stays. */
  readonly source: string
}

export interface Matching {
  readonly matches: readonly Match[]
  /** Data sets that are elsewhere than this node would put them. */
  readonly pins: readonly Pin[]
  /** What is other than the manifest says; a take-over would change it. */
  readonly drift: readonly string[]
  /** Why the app cannot be adopted; empty when it can. */
  readonly refusals: readonly string[]
}

export interface MatchInput {
  readonly manifest: AppManifest
  readonly platform: Platform
  readonly containers: readonly InspectedContainer[]
  /** The folder in which this node keeps data sets of the app. */
  readonly dataFolder: string
  /** Container by component, where the owner said it. */
  readonly named: ReadonlyMap<string, string>
}

const ANONYMOUS = /^[0-9a-f]{64}$/

export function matchContainers(input: MatchInput): Matching {
  const services = Object.entries(input.manifest.components)
    .filter(([, { role }]) => role === 'service')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const found = services.map(([name]) => ({ name, candidates: candidatesFor(input, name) }))
  const refusals = [
    ...unknownNames(
      input,
      services.map(([name]) => name),
    ),
    ...countProblems(found),
  ]
  if (refusals.length > 0) return { matches: [], pins: [], drift: [], refusals }
  const matches = found.map(({ name, candidates }): Match => {
    const container = candidates[0] as InspectedContainer
    return { component: name, container, unit: container.labels.PODMAN_SYSTEMD_UNIT }
  })
  const data = matches.map(match => dataOf(input, match))
  const all = [
    ...data.flatMap(each => each.problems),
    ...splitSets(data.flatMap(each => each.pins)),
    ...sharedData(input, matches),
  ]
  return {
    matches,
    pins: distinctPins(data.flatMap(each => each.pins)).filter(
      ({ set, source }) => source !== `${input.dataFolder}/${set}`,
    ),
    drift: matches.flatMap(match => driftOf(input, match)),
    refusals: all,
  }
}

/** The owner's word first, then our own labels, then the manifest's, then Compose's. */
function candidatesFor(
  { manifest, containers, named }: MatchInput,
  component: string,
): readonly InspectedContainer[] {
  const told = named.get(component)
  const isNamed = new Set(named.values())
  const free = containers.filter(({ name }) => name === told || !isNamed.has(name))
  const rules: readonly ((container: InspectedContainer) => boolean)[] = [
    ({ name }) => name === told,
    ({ labels }) => labels['app.id'] === manifest.id && labels['app.component'] === component,
    ({ name }) => name === containerName(manifest.id, component),
    ({ name }) => manifest.adopt[component]?.includes(name) ?? false,
    ({ labels }) => composeProject(labels) === manifest.id && composeService(labels) === component,
  ]
  for (const rule of rules) {
    const fitting = free.filter(rule)
    if (fitting.length > 0) return fitting
    if (rule === rules[0] && told !== undefined) return []
  }
  return []
}

function composeProject(labels: InspectedContainer['labels']): string | undefined {
  return labels['io.podman.compose.project'] ?? labels['com.docker.compose.project']
}

function composeService(labels: InspectedContainer['labels']): string | undefined {
  return labels['io.podman.compose.service'] ?? labels['com.docker.compose.service']
}

function unknownNames(
  { named, containers, manifest }: MatchInput,
  services: readonly string[],
): readonly string[] {
  return [...named].flatMap(([component, name]) => [
    ...(services.includes(component)
      ? []
      : [`${manifest.id} has no component ${component}; it has ${services.join(', ')}`]),
    ...(containers.some(each => each.name === name) ? [] : [`there is no container ${name}`]),
  ])
}

function countProblems(
  found: readonly { name: string; candidates: readonly InspectedContainer[] }[],
): readonly string[] {
  const counted = found.flatMap(({ name, candidates }) => {
    if (candidates.length === 1) return []
    if (candidates.length === 0) {
      return [`no container is known to be ${name}; say which with --container ${name}=CONTAINER`]
    }
    const names = candidates.map(each => each.name).join(' and ')
    return [`${names} could both be ${name}; say which with --container ${name}=CONTAINER`]
  })
  const uses = new Map<string, string[]>()
  for (const { name, candidates } of found) {
    const id = candidates.length === 1 ? candidates[0]?.id : undefined
    if (id !== undefined) uses.set(id, [...(uses.get(id) ?? []), name])
  }
  const twice = [...uses.values()]
    .filter(components => components.length > 1)
    .map(components => `one container would be both ${components.join(' and ')}`)
  return [...counted, ...twice]
}

function dataOf(
  { manifest, dataFolder }: MatchInput,
  { component, container }: Match,
): { readonly pins: readonly Pin[]; readonly problems: readonly string[] } {
  const { mounts } = manifest.components[component] as Component
  const pins: Pin[] = []
  const problems: string[] = []
  for (const mount of mounts) {
    if (!('data' in mount)) continue
    const found = container.mounts.find(({ path }) => path === mount.path)
    const what = `the data set ${mount.data} (${mount.path} in ${container.name})`
    if (found === undefined) {
      problems.push(
        `${what} is not on a mount: what is there ends with the container. Copy it out with "podman cp", and start the container with a volume there`,
      )
    } else if (found.kind === 'other') {
      problems.push(`${what} is in memory; nothing of it can be kept`)
    } else if (found.kind === 'volume' && ANONYMOUS.test(found.name)) {
      const copy = `podman unshare cp -a ${found.source} ${dataFolder}/${mount.data}`
      problems.push(
        `${what} is on a volume without a name, which Podman deletes with the container. Stop what writes there, run "${copy}", and start the container with that folder`,
      )
    } else {
      pins.push({ set: mount.data, source: found.source })
    }
  }
  return { pins, problems }
}

function distinctPins(pins: readonly Pin[]): readonly Pin[] {
  return [...new Map(pins.map(pin => [pin.set, pin])).values()]
}

/** Two components that share a data set must see the same files. */
function splitSets(pins: readonly Pin[]): readonly string[] {
  const sources = new Map<string, Set<string>>()
  for (const { set, source } of pins) {
    sources.set(set, (sources.get(set) ?? new Set()).add(source))
  }
  return [...sources]
    .filter(([, all]) => all.size > 1)
    .map(([set, all]) => `the data set ${set} would be at two places: ${[...all].join(' and ')}`)
}

/** Two programs on the files of one database destroy it. */
function sharedData(
  { containers, manifest }: MatchInput,
  matches: readonly Match[],
): readonly string[] {
  const own = new Set(matches.map(({ container }) => container.id))
  return matches.flatMap(({ component, container }) => {
    const paths = dataPaths(manifest.components[component] as Component)
    const sources = container.mounts
      .filter(({ path, isWritable }) => isWritable && paths.has(path))
      .map(({ source }) => source)
    return containers
      .filter(({ id, status }) => !own.has(id) && status === 'running')
      .filter(other => other.mounts.some(each => each.isWritable && sources.includes(each.source)))
      .map(other => `${other.name} runs on the same data as ${container.name}; stop one of them`)
  })
}

function dataPaths({ mounts }: Component): ReadonlySet<string> {
  return new Set(mounts.flatMap(mount => ('data' in mount ? [mount.path] : [])))
}

function driftOf({ manifest, platform }: MatchInput, match: Match): readonly string[] {
  const component = manifest.components[match.component] as Component
  const { container } = match
  const say = (text: string): string => `${match.component}: ${text}`
  const signed = manifest.images[component.image]?.platforms[platform]?.config.sha256
  const isSigned = signed === `sha256:${container.imageId}`
  const wanted = component.ports.map(
    ({ host, container: inside, protocol }) => `${host}:${inside}/${protocol}`,
  )
  const present = container.ports.map(
    ({ host, container: inside, protocol }) => `${host}:${inside}/${protocol}`,
  )
  const missing = Object.keys(component.env).filter(key => container.env[key] === undefined)
  const covered = new Set(
    [component.mounts, component.secretFiles, component.files].flat().map(({ path }) => path),
  )
  const extra = container.mounts.filter(mount => !covered.has(mount.path) && isKept(mount))
  return [
    ...(isSigned
      ? []
      : [say(`runs the image ${container.imageName}, not the one of ${manifest.version}`)]),
    ...difference(wanted, present).map(port => say(`does not publish port ${port}`)),
    ...difference(present, wanted).map(port => say(`publishes port ${port} besides`)),
    ...missing.map(key => say(`has no variable ${key}`)),
    ...extra.map(({ path, source }) => say(`has ${source} at ${path}, which the app does not use`)),
  ]
}

function isKept({ kind, name }: InspectedMount): boolean {
  return kind === 'bind' || (kind === 'volume' && !ANONYMOUS.test(name))
}

function difference(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.filter(each => !b.includes(each))
}
