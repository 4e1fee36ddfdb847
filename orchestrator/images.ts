/** Brings the images of a release into container storage and proves that they are the signed ones. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlatformImage, VerifiedRelease } from '../catalog/index.ts'
import { hexOf } from '../src/core/digest.ts'
import { type Context, stagingFolder } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { assembleLayout } from './layout.ts'
import { imageName } from './names.ts'
import type { Generation } from './record.ts'

export type LoadedImage = Generation['images'][number]
export type Progress = (step: string) => void

/** Enough lines to see what kind of damage it is. */
const FINDINGS_LOGGED_MAX = 10

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
    if (trusted.has(loaded.id) && (await isPresent(context, loaded))) continue
    await mendStorage(context)
    if (await isPresent(context, loaded)) continue
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

/** True when the very image is there under its name. */
async function isPresent({ deps: { podman } }: Context, wanted: LoadedImage): Promise<boolean> {
  const found = await podman.image(wanted.name)
  return found?.id === wanted.id && found.manifestDigest === wanted.manifestDigest
}

/**
 * Once per run, before the first load: a power cut in the middle of an earlier one leaves layers of empty files, which a
 * second load takes for good and `podman image inspect` chokes on. Measured: 0.2 s to look, 0.3 s to mend.
 */
async function mendStorage({ deps: { podman, log }, storage }: Context): Promise<void> {
  if (storage.isChecked) return
  const damaged = await podman.damage()
  if (damaged.length > 0) {
    const findings = damaged.slice(0, FINDINGS_LOGGED_MAX)
    log.warn('container storage is damaged; removing what is broken', { findings })
    await podman.repair()
  }
  storage.isChecked = true
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
