/** Units of an app that this node wrote in an earlier life, when its record is lost. Pure. */

import type { AppManifest } from '../../catalog/index.ts'
import { permissionsOf } from '../consent.ts'
import { containerFile, imageName, isQuadletFileOf, targetUnit } from '../names.ts'
import type { Generation } from '../record.ts'
import { appSpec } from '../spec.ts'
import { readUnit, type UnitFile, valuesOf } from '../units/file.ts'
import { updateTerms } from '../update-terms.ts'

export interface OwnUnitsInput {
  readonly manifest: AppManifest
  readonly entry: {
    readonly publisher: string
    readonly channel: string
    readonly seq: number
    readonly manifest: { readonly blake3: string }
  }
  /** Every file of Quadlet's folder that may be of the app. */
  readonly quadlet: readonly UnitFile[]
  readonly target: UnitFile | undefined
  /** Manifest digest of each image in storage, by image ID. */
  readonly manifestDigests: ReadonlyMap<string, string>
  /** Files that the units mount out of the lost state are still there. */
  readonly areFilesThere: boolean
}

/**
 * The generation that these files are, byte for byte; `undefined` when they are not all of an app of ours.
 * A version other than the manifest's, or one that would not start again, gets the number 0: any release of the catalog
 * may follow it.
 */
export function readOwnUnits(input: OwnUnitsInput): Generation | undefined {
  const { manifest, entry, target, manifestDigests } = input
  const { id } = manifest
  const quadlet = input.quadlet.filter(({ name }) => isQuadletFileOf(id, name))
  const spec = appSpec(manifest)
  const files = spec.components.map(({ name }) => {
    const file = quadlet.find(each => each.name === containerFile(id, name))
    return file === undefined ? undefined : { component: name, ...readOne(file.text) }
  })
  if (target?.name !== targetUnit(id) || files.some(file => file?.id !== id)) return undefined
  const known = files.filter(file => file !== undefined)
  const numbers = new Set(known.map(file => file.generation))
  const [number] = numbers
  if (numbers.size !== 1 || number === undefined || !Number.isInteger(number)) return undefined
  const version = known[0]?.version ?? ''
  const isSame = version === manifest.version
  return {
    number,
    publisher: entry.publisher,
    channel: entry.channel,
    seq: isSame && input.areFilesThere ? entry.seq : 0,
    manifest: entry.manifest.blake3,
    spec: { ...spec, version },
    images: known.map(({ component, image }) => ({
      component,
      name: imageName(id, component, number),
      id: image,
      manifestDigest: manifestDigests.get(image) ?? '',
    })),
    quadlet,
    target,
    ...(isSame ? { permissions: [...permissionsOf(manifest)], terms: updateTerms(manifest) } : {}),
  }
}

function readOne(text: string): { id: string; version: string; generation: number; image: string } {
  const sections = readUnit(text)
  const labels = new Map(
    valuesOf(sections, 'Container', 'Label').map(value => {
      const [key = '', ...rest] = value.replace(/^"|"$/g, '').split('=')
      return [key, rest.join('=')] as const
    }),
  )
  return {
    id: labels.get('app.id') ?? '',
    version: labels.get('app.version') ?? '',
    generation: Number(labels.get('app.generation')),
    image: valuesOf(sections, 'Container', 'Image')[0] ?? '',
  }
}
