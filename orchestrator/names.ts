/**
 * Every name that an app gets on the host, made in this one place.
 * App ids and component names may hold dashes, so an underscore keeps the two apart: no two pairs share a name.
 */
import { createHash } from 'node:crypto'

export const networkName = (id: string): string => `app-${id}`
export const networkFile = (id: string): string => `app-${id}.network`
/** Quadlet's own rule for the service of a `.network` file. */
export const networkUnit = (id: string): string => `app-${id}-network.service`
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
