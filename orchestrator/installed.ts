/** Which releases this node has, had before, or is bringing into place: what an update, or the way back, may still need. */
import { type Digest, parseDigest } from '../src/core/digest.ts'
import type { Context } from './context.ts'
import { type AppRecord, type Generation, readRecord, recordIds } from './record.ts'

export interface InstalledRelease {
  readonly app: string
  readonly version: string
  /** Address of its manifest. */
  readonly manifest: Digest
  readonly place: 'installed' | 'previous' | 'coming'
}

/** Unlike a status this leaves nothing out. @throws OrchestratorError `RECORD_MALFORMED` when one record cannot be read */
export async function installedReleases(context: Context): Promise<readonly InstalledRelease[]> {
  const releases: InstalledRelease[] = []
  for (const id of await recordIds(context)) {
    const record = await readRecord(context, id)
    if (record !== undefined) releases.push(...releasesIn(record))
  }
  return releases
}

/** Pure. */
export function releasesIn(record: AppRecord): readonly InstalledRelease[] {
  const { committed, previous, operation } = record
  const coming =
    operation?.kind === 'switch' || operation?.kind === 'take-over' ? operation.to : undefined
  const left = operation?.kind === 'rollback' ? operation.from : undefined
  const places = [
    ['installed', committed],
    ['previous', previous],
    ['coming', coming],
    ['coming', left],
  ] as const
  return places.flatMap(([place, generation]) =>
    generation === undefined ? [] : [releaseOf(record.id, place, generation)],
  )
}

function releaseOf(
  app: string,
  place: InstalledRelease['place'],
  { spec, manifest }: Generation,
): InstalledRelease {
  return { app, version: spec.version, manifest: parseDigest(manifest), place }
}
