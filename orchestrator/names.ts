/**
 * Every name that an app gets on the host, made in this one place.
 * App ids and component names may hold dashes, so an underscore keeps the two apart: no two pairs share a name.
 */
import { createHash } from 'node:crypto'

/** The network every component joins that names no other. */
export const DEFAULT_NETWORK = 'default'

/** Neither ids nor labels hold dots, so a further network never has the name of another app's default one. */
export const networkName = (id: string, network = DEFAULT_NETWORK): string =>
  network === DEFAULT_NETWORK ? `app-${id}` : `app-${id}.net.${network}`
/** The network by which other apps reach an entry of the app's `provides`. */
export const exportNetworkName = (id: string, entry: string): string => `app-${id}.export.${entry}`
/** What other apps call a component that the app provides; a name of two labels, each of lawful length. */
export const exportHost = (id: string, component: string): string => `${component}.app-${id}`
export const networkFile = (name: string): string => `${name}.network`
/** Quadlet's own rule for the service of a `.network` file. */
export const networkUnit = (name: string): string => `${name}-network.service`
export const targetUnit = (id: string): string => `app-${id}.target`
export const containerName = (id: string, component: string): string => `app-${id}_${component}`
export const containerFile = (id: string, component: string): string =>
  `${containerName(id, component)}.container`
export const containerUnit = (id: string, component: string): string =>
  `${containerName(id, component)}.service`

/** The name that keeps an image from being pruned while no container uses it. */
export const imageName = (id: string, component: string, generation: number): string =>
  `${imagePrefix(id)}${component}:g${generation}`

export const imagePrefix = (id: string): string => `localhost/archy/${id}/`

/** Characters of a SHA-256 in hex that tell templates of one app apart. */
const TEMPLATE_HASH_LENGTH = 16

/**
 * The Podman secret that holds the value of `template`. The name follows from the template, so a value that a new
 * version composes in another way gets a name of its own, and a rollback finds the old one.
 */
export function secretName(id: string, template: string): string {
  const hash = createHash('sha256').update(template).digest('hex').slice(0, TEMPLATE_HASH_LENGTH)
  return `${secretPrefix(id)}${hash}`
}

export const secretPrefix = (id: string): string => `app-${id}_`

/** Whether a file of Quadlet's folder is one of the app's; no id holds the dot or underscore that follows it. */
export function isQuadletFileOf(id: string, file: string): boolean {
  const isNetwork = file.startsWith(`app-${id}.`) && file.endsWith('.network')
  return isNetwork || (file.startsWith(`app-${id}_`) && file.endsWith('.container'))
}
