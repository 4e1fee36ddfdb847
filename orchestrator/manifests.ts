/** The signed manifest of every generation that is kept, so that its units can be rendered again without the release. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VerifiedRelease } from '../catalog/index.ts'
import { codeOf } from '../src/core/errors.ts'
import { writeFileAtomic } from '../src/core/files.ts'
import type { Context, OrchestratorOptions } from './context.ts'

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

/** Removes those of all other generations. */
export async function sweepManifests(
  options: OrchestratorOptions,
  id: string,
  kept: readonly number[],
): Promise<void> {
  const names = kept.map(number => `g${number}.json`)
  for (const name of await filesIn(folderOf(options, id))) {
    if (!names.includes(name)) await rm(join(folderOf(options, id), name))
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
