/** Blobs that lost pieces and were not healed yet: kept over restarts, so that it is tried again. */
import { z } from 'zod'
import type { BlobId, BlobStore } from '../swarm/index.ts'
import { parseDigest } from './core/digest.ts'
import type { Log } from './core/log.ts'

const KEY = 'damagedBlobs'
/** More on one disk, and the disk is the problem; also what fits a note of the store. */
const COUNT_MAX = 400
/** Once in every look of the scrub: most of a day. What nobody has by then is found again by the next scrub. */
const TRIES_MAX = 100

const schema = z.array(
  z.tuple([z.string().transform(text => parseDigest(text)), z.int().min(0), z.int().min(0)]),
)

export interface DamagedBlobs {
  list(): readonly BlobId[]
  /** One more failed try. */
  add(id: BlobId): Promise<void>
  remove(id: BlobId): Promise<void>
}

export async function openDamagedBlobs(
  store: Pick<BlobStore, 'getMeta' | 'setMeta'>,
  log: Log,
): Promise<DamagedBlobs> {
  const known = new Map<BlobId['digest'], { readonly id: BlobId; readonly tries: number }>()
  for (const [digest, sizeBytes, tries] of await readList(store, log)) {
    known.set(digest, { id: { digest, sizeBytes }, tries })
  }
  const save = async (): Promise<void> => {
    const rows = [...known.values()].map(({ id, tries }) => [id.digest, id.sizeBytes, tries])
    await store.setMeta(KEY, JSON.stringify(rows))
  }
  return {
    list: () => [...known.values()].map(({ id }) => id),
    async add(id) {
      const tries = (known.get(id.digest)?.tries ?? 0) + 1
      if (tries > TRIES_MAX) known.delete(id.digest)
      else if (known.has(id.digest) || known.size < COUNT_MAX) known.set(id.digest, { id, tries })
      await save()
    },
    async remove({ digest }) {
      if (known.delete(digest)) await save()
    },
  }
}

async function readList(store: Pick<BlobStore, 'getMeta'>, log: Log) {
  const text = await store.getMeta(KEY)
  const parsed = schema.safeParse(text === undefined ? [] : parseJson(text))
  if (parsed.success) return parsed.data
  log.warn('list of damaged blobs is damaged itself; the next scrub finds them again')
  return []
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // What is no JSON is no list either: the caller says so.
  }
}
