/** The values that an app has of itself, those that it provides to others, and which of its texts are secrets. Pure. */
import type { AppManifest } from '../../catalog/index.ts'
import { exportHost } from '../names.ts'
import { joinedNetworks } from './networks.ts'
import { type Filled, fillIn, type Values } from './values.ts'

/** `given` and what follows from the manifest itself: `app.*` and `component.<name>.host` as the app's own components see it. */
export function ownValues(manifest: AppManifest, given: Values): Values {
  const hosts = Object.keys(manifest.components).map((name): [string, string] => {
    const [network] = joinedNetworks(manifest, name, given)
    return [`component.${name}.host`, network?.aliases[0] ?? name]
  })
  return new Map([...given, ['app.id', manifest.id], ['app.version', manifest.version], ...hosts])
}

/**
 * The values of an entry of `provides`, for the apps that need it: by key. `given` are the providing app's own values;
 * a component's host is the name that it has on the network of the entry.
 * @throws as `fillIn`
 */
export function providedValues(
  manifest: AppManifest,
  entry: string,
  given: Values,
): ReadonlyMap<string, Filled> {
  const hosts = Object.keys(manifest.components).map((name): [string, string] => [
    `component.${name}.host`,
    exportHost(manifest.id, name),
  ])
  const values = new Map([...ownValues(manifest, given), ...hosts])
  const templates = Object.entries(manifest.provides[entry]?.values ?? {})
  return new Map(templates.map(([key, template]) => [key, fillIn(template, values)]))
}

/** Every distinct template of the app that needs a Podman secret, each named by `secretName(id, template)`. */
export function secretTemplates(manifest: AppManifest, given: Values): readonly string[] {
  const values = ownValues(manifest, given)
  const templates = Object.values(manifest.components).flatMap(component => [
    ...Object.values(component.env),
    ...component.files.map(({ content }) => content),
    ...component.secretFiles.map(({ secret }) => `\${secrets.${secret}}`),
  ])
  const held = templates.flatMap(template => {
    const filled = fillIn(template, values)
    return filled.kind === 'secret' ? filled.template : []
  })
  return [...new Set(held)].sort()
}
