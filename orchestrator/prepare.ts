/** Everything for a new generation that can be done while the old one runs: images, secrets, data, checked units. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkImageVolumes, type VerifiedRelease } from '../catalog/index.ts'
import { writeFileAtomic } from '../src/core/files.ts'
import { permissionsOf } from './consent.ts'
import { appDataFolder, type Context, filesFolder, holdPath, stagingFolder } from './context.ts'
import { provideData } from './data.ts'
import { OrchestratorError } from './errors.ts'
import { loadImages, type Progress } from './images.ts'
import { keepManifest } from './manifests.ts'
import { preflight } from './preflight.ts'
import type { AppRecord, Generation } from './record.ts'
import { provideSecrets } from './secrets.ts'
import { assertSpace } from './space.ts'
import { type AppSpec, appSpec } from './spec.ts'
import { checkUnits } from './units/check.ts'
import { PODMAN_VERSION_FLOOR } from './units/keys.ts'
import { type RenderedUnits, renderApp } from './units/render.ts'
import type { Values } from './units/values.ts'
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
  await preflight(context, spec, input.others, record.committed?.spec.ports ?? [])
  await assertSpace(context, release, record, trusted)
  const images = await loadImages(context, release, number, trusted, input)
  await keepManifest(context, release, number)
  const values: Values = new Map()
  await provideSecrets(context, manifest, values)
  await provideData(context, manifest)
  const { mode } = context.options
  const units = renderApp({
    manifest,
    generation: number,
    imageIds: new Map(images.map(({ component, id }) => [component, id])),
    dataFolder: appDataFolder(context.options, manifest.id),
    filesFolder: filesFolder(context.options, manifest.id, number),
    holdPath: holdPath(context.options, manifest.id),
    values,
    podmanVersion: mode === 'render' ? PODMAN_VERSION_FLOOR : await context.deps.podman.version(),
  })
  input.onProgress('checking the units')
  await dryRun(context, spec, units)
  return {
    number,
    publisher: entry.publisher,
    channel: entry.channel,
    seq: entry.seq,
    manifest: entry.manifest.blake3,
    spec,
    images: [...images],
    quadlet: [...units.quadlet],
    target: units.target,
    permissions: [...permissionsOf(manifest)],
    terms: updateTerms(manifest),
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
