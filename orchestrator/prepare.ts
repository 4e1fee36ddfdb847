/** Everything for a new generation that can be done while the old one runs: images, secrets, data, checked units. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type AppManifest, checkImageVolumes, type VerifiedRelease } from '../catalog/index.ts'
import { writeFileAtomic } from '../src/core/files.ts'
import { type AppFacts, appFacts } from './app-facts.ts'
import { permissionsOf } from './consent.ts'
import { appDataFolder, type Context, filesFolder, holdPath, stagingFolder } from './context.ts'
import { provideData } from './data.ts'
import { OrchestratorError } from './errors.ts'
import { writeFiles } from './files.ts'
import { type LoadedImage, loadImages, type Progress } from './images.ts'
import { keepManifest } from './manifests.ts'
import { preflight } from './preflight.ts'
import type { AppRecord, Generation } from './record.ts'
import { provideSecrets } from './secrets.ts'
import type { Settings } from './settings.ts'
import { assertSpace } from './space.ts'
import { type AppSpec, appSpec } from './spec.ts'
import { checkUnits } from './units/check.ts'
import { PODMAN_VERSION_FLOOR } from './units/keys.ts'
import { type RenderedUnits, renderApp } from './units/render.ts'
import { updateTerms } from './update-terms.ts'

export interface PrepareInput {
  readonly release: VerifiedRelease
  readonly record: AppRecord
  readonly others: readonly AppRecord[]
  readonly onProgress: Progress
  readonly signal: AbortSignal
}

/** Nothing that runs is touched. @throws OrchestratorError, ManifestError `MANIFEST_INVALID`, FileError `DISK_FULL`, HostError */
export async function prepareGeneration(
  context: Context,
  input: PrepareInput,
): Promise<Generation> {
  const { release, record } = input
  const { manifest, entry } = release
  const spec = appSpec(manifest)
  const number = record.lastGeneration + 1
  const trusted = trustedImages(input)
  await checkImageVolumes(release)
  // First of all: the owner may set what its `config` asks for, also while that is why it cannot be installed.
  await keepManifest(context, release, number)
  const facts = await appFacts(context, manifest, record.config ?? {})
  await preflight(context, spec, input.others, record.committed?.spec.ports ?? [])
  await assertSpace(context, release, record, trusted)
  const images = await loadImages(context, release, number, trusted, input)
  const { publisher, channel, seq } = entry
  return await renderGeneration(context, {
    manifest,
    facts,
    config: record.config ?? {},
    identity: { number, publisher, channel, seq, manifest: entry.manifest.blake3 },
    images,
    onProgress: input.onProgress,
  })
}

export interface RenderTerms {
  readonly manifest: AppManifest
  readonly facts: AppFacts
  readonly config: Settings
  readonly identity: Pick<Generation, 'number' | 'publisher' | 'channel' | 'seq' | 'manifest'>
  readonly images: readonly LoadedImage[]
  readonly onProgress: Progress
}

/** Secrets, data, files and checked units of one generation, whose images are there. */
export async function renderGeneration(
  context: Context,
  { manifest, facts, config, identity, images, onProgress }: RenderTerms,
): Promise<Generation> {
  const { mode } = context.options
  const { id } = manifest
  const spec = appSpec(manifest)
  await provideSecrets(context, manifest, facts)
  await provideData(context, manifest)
  await writeFiles(context, manifest, identity.number, facts.values)
  const units = renderApp({
    manifest,
    generation: identity.number,
    imageIds: new Map(images.map(image => [image.component, image.id])),
    dataFolder: appDataFolder(context.options, id),
    filesFolder: filesFolder(context.options, id, identity.number),
    holdPath: holdPath(context.options, id),
    values: facts.values,
    podmanVersion: mode === 'render' ? PODMAN_VERSION_FLOOR : await context.deps.podman.version(),
  })
  onProgress('checking the units')
  await dryRun(context, spec, units)
  return {
    ...identity,
    spec,
    images: [...images],
    quadlet: [...units.quadlet],
    target: units.target,
    permissions: [...permissionsOf(manifest)],
    terms: updateTerms(manifest),
    config: { ...config },
  }
}

function trustedImages({ record, others }: PrepareInput): ReadonlySet<string> {
  const generations = [record, ...others].flatMap(each => [each.committed, each.previous])
  return new Set(generations.flatMap(each => each?.images.map(({ id }) => id) ?? []))
}

/**
 * The generator drops a unit that it does not like, and a reload then succeeds without it: so every unit is asked
 * for by name. Without a generator our own reader checks what it can.
 * @throws OrchestratorError `UNITS_REFUSED` with everything the generator said.
 */
async function dryRun(context: Context, spec: AppSpec, units: RenderedUnits): Promise<void> {
  const folder = join(stagingFolder(context.options), `${spec.id}-units`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  try {
    for (const { name, text } of units.quadlet) await writeFileAtomic(join(folder, name), text)
    const result = await context.deps.quadlet.dryRun(folder)
    const expected = [...spec.networks, ...spec.components].map(({ unit }) => unit)
    const problems =
      result === undefined
        ? checkUnits(units)
        : [
            ...result.problems,
            ...expected
              .filter(name => !result.services.has(name))
              .map(name => `${name} would not be made`),
          ]
    if (problems.length === 0) return
    throw new OrchestratorError(
      'UNITS_REFUSED',
      `the units of ${spec.id} ${spec.version} were refused: ${problems.join('; ')}`,
      { problems },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
