/** Brings the owner's own manifests into the blob store, so that their apps come the same way as those of the catalog. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CatalogEntry,
  type LocalManifests as LocalFiles,
  type LocalManifest,
  noLocalManifests,
  readLocalManifests,
} from '../catalog/index.ts'
import type { BlobStore } from '../swarm/index.ts'
import { messageOf } from './core/errors.ts'
import { writeFileAtomic } from './core/files.ts'

export interface LocalManifests {
  /** Looks at the folder again. What is wrong with a file is told by `problems`, not thrown. */
  read(): Promise<void>
  find(app: string): CatalogEntry | undefined
  entries(): readonly CatalogEntry[]
  problems(): readonly string[]
}

interface Deps {
  /** `undefined`: the owner keeps none. */
  readonly folder: string | undefined
  readonly store: Pick<BlobStore, 'verified' | 'importFile'>
  readonly stateFolder: string
}

export function createLocalManifests({ folder, store, stateFolder }: Deps): LocalManifests {
  let known: LocalFiles = noLocalManifests
  const bring = async ({ entry, bytes }: LocalManifest): Promise<void> => {
    const { blake3, size } = entry.manifest
    if (store.verified(blake3) !== undefined) return
    const own = join(stateFolder, 'local-manifests')
    await mkdir(own, { recursive: true })
    const path = join(own, `${entry.app}.json`)
    await writeFileAtomic(path, bytes)
    await store.importFile({ digest: blake3, sizeBytes: size }, path)
    await rm(path)
  }
  const look = async (from: string): Promise<void> => {
    const { manifests, problems } = await readLocalManifests(from)
    const usable = new Map<string, LocalManifest>()
    const failures: string[] = []
    for (const [app, manifest] of manifests) {
      try {
        await bring(manifest)
        usable.set(app, manifest)
      } catch (error) {
        failures.push(`local manifest of ${app} cannot be kept: ${messageOf(error)}`)
      }
    }
    known = { manifests: usable, problems: [...problems, ...failures] }
  }
  let running: Promise<void> | undefined
  return {
    async read() {
      if (folder === undefined) return
      running ??= look(folder).finally(() => {
        running = undefined
      })
      await running
    },
    find: app => known.manifests.get(app)?.entry,
    entries: () => [...known.manifests.values()].map(({ entry }) => entry),
    problems: () => known.problems,
  }
}
