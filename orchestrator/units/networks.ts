/** Which networks an app has, and which of them a component joins under which names. Pure. */
import { type AppManifest, type Component, parseTemplate } from '../../catalog/index.ts'
import {
  DEFAULT_NETWORK,
  exportHost,
  exportNetworkName,
  networkFile,
  networkName,
  networkUnit,
  targetUnit,
} from '../names.ts'

import { absentNeed, type Values } from './values.ts'

export interface OwnNetwork {
  readonly name: string
  readonly title: string
  /** Without a way out. */
  readonly isInternal: boolean
}

export interface JoinedNetwork {
  readonly name: string
  readonly aliases: readonly string[]
  /** Another app's: it is joined by name, because Quadlet drops a unit that names a file which is gone. */
  readonly isForeign: boolean
}

/** The default network first, then further ones and those of `provides`, by name. */
export function ownNetworks(manifest: AppManifest): readonly OwnNetwork[] {
  const { id } = manifest
  return [
    { name: networkName(id), title: 'network', isInternal: false },
    ...sorted(manifest.networks).map(([name, { internal }]) => ({
      name: networkName(id, name),
      title: `network ${name}`,
      isInternal: internal,
    })),
    ...sorted(manifest.provides).map(([entry]) => ({
      name: exportNetworkName(id, entry),
      title: `network for apps that need ${entry}`,
      isInternal: false,
    })),
  ]
}

/** Empty for a component that uses the network of the machine. */
export function joinedNetworks(
  manifest: AppManifest,
  name: string,
  values: Values,
): readonly JoinedNetwork[] {
  const component = manifest.components[name] as Component
  if (usesHostNetwork(component)) return []
  const { id } = manifest
  const own = component.networks ?? { [DEFAULT_NETWORK]: {} }
  const names = Object.keys(own).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1))
  const provided = sorted(manifest.provides).filter(([, entry]) => entry.component === name)
  return [
    ...names.map(network => ({
      name: networkName(id, network),
      aliases: own[network]?.aliases ?? defaultAliases(component, network) ?? [name],
      isForeign: false,
    })),
    ...provided.map(([entry]) => ({
      name: exportNetworkName(id, entry),
      aliases: [exportHost(id, name)],
      isForeign: false,
    })),
    ...needsOf(manifest, name, values).map(({ app, export: entry }) => ({
      name: exportNetworkName(app, entry),
      aliases: [],
      isForeign: true,
    })),
  ]
}

const defaultAliases = (component: Component, network: string) =>
  network === DEFAULT_NETWORK ? component.aliases : undefined

const order = (network: string): number => (network === DEFAULT_NETWORK ? 0 : 1)

export function usesHostNetwork(component: Component): boolean {
  return component.grants['host-network'] !== undefined
}

/** `app-x.network:alias=a`, the value of `Network=`. A component without any network has none. */
export function networkValues(
  manifest: AppManifest,
  name: string,
  values: Values,
): readonly string[] {
  const component = manifest.components[name] as Component
  if (usesHostNetwork(component)) return ['host']
  const joined = joinedNetworks(manifest, name, values)
  if (joined.length === 0) return ['none']
  return joined.map(network => {
    const options = network.aliases.map(alias => `alias=${alias}`).join(',')
    const target = network.isForeign ? network.name : networkFile(network.name)
    return options === '' ? target : `${target}:${options}`
  })
}

/** Units of other apps that a component waits for when they are there; without them it starts as well. */
export interface ForeignUnits {
  /** Making them does not start the other app. */
  readonly networks: readonly string[]
  /** Of needs with a gate: up when all of the app is. */
  readonly targets: readonly string[]
}

export function foreignUnits(manifest: AppManifest, name: string, values: Values): ForeignUnits {
  const needs = needsOf(manifest, name, values)
  const networks = needs.map(({ app, export: entry }) => networkUnit(exportNetworkName(app, entry)))
  const targets = needs.filter(({ gate }) => gate !== 'installed').map(({ app }) => targetUnit(app))
  return {
    networks: usesHostNetwork(manifest.components[name] as Component) ? [] : unique(networks),
    targets: unique(targets),
  }
}

/** The needs whose values the component uses; one that no component uses is there for all of them. None that are absent. */
function needsOf(
  manifest: AppManifest,
  name: string,
  values: Values,
): readonly AppManifest['needs'][string][] {
  const used = new Set(usedNeeds(manifest.components[name] as Component))
  const usedAnywhere = new Set(Object.values(manifest.components).flatMap(usedNeeds))
  return sorted(manifest.needs)
    .filter(([alias]) => used.has(alias) || !usedAnywhere.has(alias))
    .filter(([alias]) => !values.has(absentNeed(alias)))
    .map(([, need]) => need)
}

function usedNeeds(component: Component): readonly string[] {
  const texts = [...Object.values(component.env), ...component.files.map(({ content }) => content)]
  return texts.flatMap(text =>
    parseTemplate(text).flatMap(part => (part.kind === 'need' ? part.alias : [])),
  )
}

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort()

function sorted<T>(all: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))
}
