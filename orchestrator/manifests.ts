/** The signed manifest of every generation that is kept, so that its units can be rendered again without the release. */

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type AppManifest, readStoredManifest, type VerifiedRelease } from '../catalog/index.ts'
import { namesIn, writeFileAtomic } from '../src/core/files.ts'
import type { Context, OrchestratorOptions } from './context.ts'
import type { Generation } from './record.ts'

const folderOf = ({ stateFolder }: OrchestratorOptions, id: string): string =>
  join(stateFolder, 'manifests', id)
const fileOf = (options: OrchestratorOptions, id: string, generation: number): string =>
  join(folderOf(options, id), `g${generation}.json`)

export async function keepManifest(
  { options }: Context,
  { manifest, manifestBlob }: Pick<VerifiedRelease, 'manifest' | 'manifestBlob'>,
  generation: number,
): Promise<void> {
  await writeFileAtomic(fileOf(options, manifest.id, generation), await readFile(manifestBlob.path))
}

/** @throws ManifestError `MANIFEST_MISMATCH` when it is gone, `MANIFEST_INVALID` when it is damaged */
export async function manifestOf(
  { options }: Context,
  id: string,
  { number }: Pick<Generation, 'number'>,
): Promise<AppManifest> {
  return await readStoredManifest({ path: fileOf(options, id, number) })
}

/** As `manifestOf`; `undefined` where no such generation was ever prepared. */
export async function findManifest(
  context: Context,
  id: string,
  number: number,
): Promise<AppManifest | undefined> {
  const names = await namesIn(folderOf(context.options, id))
  return names.includes(`g${number}.json`) ? await manifestOf(context, id, { number }) : undefined
}

/** For another generation of the same release. */
export async function copyManifest(
  { options }: Context,
  id: string,
  from: number,
  to: number,
): Promise<void> {
  await writeFileAtomic(fileOf(options, id, to), await readFile(fileOf(options, id, from)))
}

/** Removes those of all other generations. */
export async function sweepManifests(
  options: OrchestratorOptions,
  id: string,
  kept: readonly number[],
): Promise<void> {
  const names = kept.map(number => `g${number}.json`)
  for (const name of await namesIn(folderOf(options, id))) {
    if (!names.includes(name)) await rm(join(folderOf(options, id), name))
  }
}
