/** Brings the images of a release into container storage and proves that they are the signed ones. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlatformImage, VerifiedRelease } from '../catalog/index.ts'
import { hexOf } from '../src/core/digest.ts'
import { codeOf } from '../src/core/errors.ts'
import { type Context, stagingFolder } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { assembleLayout } from './layout.ts'
import { imageName } from './names.ts'
import type { Podman } from './ports.ts'
import type { Generation } from './record.ts'

export type LoadedImage = Generation['images'][number]
export type Progress = (step: string) => void

/**
 * Loads one image per component under a name of its own, so that removing an app never takes another's image.
 * When it returns, the images survive a power cut.
 * @param trusted IDs of images that a record names: they were checked and synced before they were recorded.
 * @throws OrchestratorError `IMAGE_MISMATCH` (the image is removed), FileError `DISK_FULL`, HostError
 */
export async function loadImages(
  context: Context,
  release: VerifiedRelease,
  generation: number,
  trusted: ReadonlySet<string>,
  { onProgress, signal }: { onProgress: Progress; signal: AbortSignal },
): Promise<readonly LoadedImage[]> {
  const { podman } = context.deps
  const wanted = wantedImages(release, generation)
  if (context.options.mode === 'render') return wanted.map(({ loaded }) => loaded)
  let wasLoaded = false
  for (const { loaded, image } of wanted) {
    signal.throwIfAborted()
    if (await isPresent(context, loaded, trusted)) continue
    onProgress(`loading the image of ${loaded.component}`)
    const folder = join(
      stagingFolder(context.options),
      `${release.manifest.id}-${loaded.component}`,
    )
    try {
      await assembleLayout(folder, loaded.name, image, release.blobs)
      await podman.loadLayout(folder, loaded.name, signal)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    await assertSame(context, loaded)
    wasLoaded = true
  }
  if (wasLoaded) {
    onProgress('making the images safe against a power cut')
    await podman.syncStorage()
  }
  return wanted.map(({ loaded }) => loaded)
}

function wantedImages(
  release: VerifiedRelease,
  generation: number,
): readonly { loaded: LoadedImage; image: PlatformImage }[] {
  const { manifest, platform } = release
  return Object.keys(manifest.components)
    .sort()
    .map(component => {
      const key = manifest.components[component]?.image ?? ''
      const image = manifest.images[key]?.platforms[platform]
      if (image === undefined) {
        throw new OrchestratorError(
          'IMAGE_LOAD_FAILED',
          `${manifest.id} has no image ${key} for ${platform}`,
        )
      }
      const name = imageName(manifest.id, component, generation)
      const id = hexOf(image.config.sha256)
      return { loaded: { component, name, id, manifestDigest: image.manifest.sha256 }, image }
    })
}

/**
 * True when the very image is there under its name and whole. One that nobody recorded may be what a power cut
 * left of a load: its layers are empty files, and loading again would not repair them.
 */
async function isPresent(
  { deps: { podman, log } }: Context,
  wanted: LoadedImage,
  trusted: ReadonlySet<string>,
): Promise<boolean> {
  if (!trusted.has(wanted.id) && (await mayBeThere(podman, wanted.id))) {
    const damaged = await podman.damage()
    if (damaged.length > 0) {
      log.warn('container storage is damaged; removing what is broken', {
        findings: damaged.slice(0, 10),
      })
      await podman.repair()
    }
  }
  const found = await podman.image(wanted.name)
  return found?.id === wanted.id && found.manifestDigest === wanted.manifestDigest
}

/** An image that Podman cannot even look at, because a power cut took files of it, is there and broken. */
async function mayBeThere(podman: Podman, id: string): Promise<boolean> {
  try {
    return (await podman.image(id)) !== undefined
  } catch (error) {
    if (codeOf(error) === 'HOST_COMMAND_FAILED') return true
    throw error
  }
}

async function assertSame({ deps: { podman } }: Context, wanted: LoadedImage): Promise<void> {
  const found = await podman.image(wanted.name)
  if (found?.id === wanted.id && found.manifestDigest === wanted.manifestDigest) return
  await podman.removeImage(wanted.name)
  throw new OrchestratorError(
    'IMAGE_MISMATCH',
    `the image ${wanted.name} became ${found?.id ?? 'nothing'} with manifest ${found?.manifestDigest ?? 'none'}; signed are ${wanted.id} and ${wanted.manifestDigest}`,
  )
}
