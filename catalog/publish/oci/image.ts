/** Finds the image of each declared platform in a layout, and reads what must be known before its layers are copied. */
import { PublishError } from '../../errors.ts'
import type { Platform } from '../../manifest/schema.ts'
import { OCI_INDEX_DEPTH_MAX } from '../limits.ts'
import {
  OCI_INDEX,
  OCI_MANIFEST,
  OCI_PLAIN_LAYER,
  type OciConfig,
  type OciDescriptor,
  type OciIndex,
  type OciManifest,
  parseConfig,
  parseIndex,
  parseManifest,
} from './documents.ts'
import { type OciLayout, readDescribed, readIndexFile } from './layout.ts'

/** One image for one platform, its documents checked; its layers not read yet. */
export interface OciImage {
  readonly layout: OciLayout
  readonly platform: Platform
  readonly descriptor: OciDescriptor
  readonly manifest: OciManifest
  readonly config: OciConfig
}

/**
 * The images of a layout for all of `platforms`.
 * @throws PublishError `OCI_PLATFORM_MISSING` with the platforms that are there; `OCI_INVALID`, `OCI_TRUNCATED`
 */
export async function readImages(
  layout: OciLayout,
  platforms: readonly Platform[],
): Promise<readonly OciImage[]> {
  const index = parseIndex(`${layout.name}: index.json`, await readIndexFile(layout))
  const candidates: Candidate[] = []
  for (const descriptor of await manifestsOf(layout, index, 1)) {
    candidates.push(await readCandidate(layout, descriptor))
  }
  return platforms.map(platform => choose(layout, candidates, platform))
}

interface Candidate {
  /** As the config of the image says: `linux/amd64`. */
  readonly shown: string
  readonly descriptor: OciDescriptor
  readonly manifest: OciManifest
  readonly config: OciConfig
}

function choose(layout: OciLayout, candidates: readonly Candidate[], platform: Platform): OciImage {
  const wanted = `linux/${platform}`
  const found = candidates.filter(candidate => candidate.shown === wanted)
  const [first] = found
  if (first === undefined) {
    const others = [...new Set(candidates.map(candidate => candidate.shown))]
    throw new PublishError(
      'OCI_PLATFORM_MISSING',
      `${layout.name}: the manifest declares the platform ${platform}, but the image holds ${others.join(', ') || 'none'}`,
    )
  }
  if (new Set(found.map(({ descriptor }) => descriptor.digest)).size > 1) {
    const why = `holds ${found.length} different images for ${wanted}; keep one`
    throw new PublishError('OCI_INVALID', `${layout.name}: ${why}`)
  }
  return { layout, platform, ...first }
}

/** The descriptors of all image manifests; build attestations, which run nowhere, are passed over. */
async function manifestsOf(
  layout: OciLayout,
  index: OciIndex,
  depth: number,
): Promise<readonly OciDescriptor[]> {
  const found: OciDescriptor[] = []
  for (const descriptor of index.manifests) {
    if (descriptor.platform?.os === 'unknown') continue
    if (descriptor.mediaType === OCI_MANIFEST) {
      found.push(descriptor)
    } else if (descriptor.mediaType === OCI_INDEX && depth < OCI_INDEX_DEPTH_MAX) {
      const name = `${layout.name}: index ${descriptor.digest}`
      const inner = parseIndex(name, await readDescribed(layout, descriptor))
      found.push(...(await manifestsOf(layout, inner, depth + 1)))
    } else {
      throw new PublishError(
        'OCI_INVALID',
        `${layout.name}: its index lists a ${descriptor.mediaType}; only OCI images can be published ` +
          '(for example: skopeo copy --format oci)',
      )
    }
  }
  return found
}

async function readCandidate(layout: OciLayout, descriptor: OciDescriptor): Promise<Candidate> {
  const name = `${layout.name}: manifest ${descriptor.digest}`
  const manifest = parseManifest(name, await readDescribed(layout, descriptor))
  const configName = `${layout.name}: config ${manifest.config.digest}`
  const config = parseConfig(configName, await readDescribed(layout, manifest.config))
  checkLayers(layout, manifest, config)
  return { shown: `${config.os}/${config.architecture}`, descriptor, manifest, config }
}

/** Podman would refuse these images on every node; better here, once. */
function checkLayers(layout: OciLayout, { layers }: OciManifest, { rootfs }: OciConfig): void {
  const differs = layers.findIndex(
    (layer, index) =>
      layer.mediaType === OCI_PLAIN_LAYER && layer.digest !== rootfs.diff_ids[index],
  )
  if (layers.length === rootfs.diff_ids.length && differs === -1) return
  const why =
    differs === -1
      ? `${layers.length} layers, but its config counts ${rootfs.diff_ids.length}`
      : `layer ${differs} is ${layers[differs]?.digest}, but its config says ${rootfs.diff_ids[differs]}`
  throw new PublishError('OCI_INVALID', `${layout.name}: its manifest and config differ: ${why}`)
}
