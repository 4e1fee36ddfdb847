/**
 * Lets a download begin only when all of it fits, with everything that is on its way counted as if it were there. When it
 * does not fit, whoever cleans up is asked once for room.
 */
import { statfs } from 'node:fs/promises'
import { pieceLayerLengthOf } from '../../src/core/blake3/index.ts'
import type { Digest } from '../../src/core/digest.ts'
import { FileError } from '../../src/core/files.ts'
import { StoreError } from '../errors.ts'
import type { BlobId, StoreUsage } from '../ports.ts'
import type { Claims } from './claims.ts'
import { footprintBytes } from './footprint.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { type BlobRecord, occupiedBytesOf } from './record.ts'
import { type Shortage, type Space, shortageOf } from './space.ts'

export interface AdmissionLimits {
  /** Downloads must leave this much of the disk free. */
  readonly minFreeBytes: number
  /** The most that all blobs together may take of the disk; left out: no bound of its own. */
  readonly quotaBytes?: number | undefined
}

interface Deps {
  readonly blobsFolder: string
  readonly records: ReadonlyMap<Digest, BlobRecord>
  readonly claims: Claims
}

/** Is asked to free so many bytes; frees all of them or nothing, and does not throw. */
export type MakeRoom = (missingBytes: number) => Promise<void>

export interface Admission {
  /**
   * Leases and promises the blobs until the result is disposed of.
   * @throws StoreError `QUOTA_EXCEEDED`; FileError `DISK_FULL`
   */
  admit(ids: readonly BlobId[]): Promise<Disposable>
  usage(): Promise<StoreUsage>
  whenShort(makeRoom: MakeRoom): void
}

export function createAdmission(
  { blobsFolder, records, claims }: Deps,
  { minFreeBytes, quotaBytes }: AdmissionLimits,
): Admission {
  /** Two that ask at once are answered one after the other: the first may fit although both do not. */
  const turns = createKeyedLock()
  let makeRoom: MakeRoom | undefined

  const missingBytesOf = ({ digest, sizeBytes }: BlobId): number => {
    const record = records.get(digest)
    const wholeBytes = footprintBytes(sizeBytes, pieceLayerLengthOf(sizeBytes))
    return record === undefined ? wholeBytes : Math.max(0, wholeBytes - occupiedBytesOf(record))
  }

  async function usage(): Promise<StoreUsage> {
    // What is promised first: bytes that arrive meanwhile are then counted twice, and never not at all.
    const promisedBytes = sum(claims.promised(), missingBytesOf)
    const usedBytes = sum(records.values(), occupiedBytesOf)
    const { bavail, bsize } = await statfs(blobsFolder)
    return { usedBytes, promisedBytes, freeBytes: bavail * bsize, minFreeBytes, quotaBytes }
  }

  async function fit(ids: readonly BlobId[]): Promise<void> {
    const neededBytes = sum(
      ids.filter(({ digest }) => !claims.isPromised(digest)),
      missingBytesOf,
    )
    if (neededBytes === 0) return
    const before = shortageOf(await usage(), neededBytes)
    if (before === undefined) return
    await makeRoom?.(before.missingBytes)
    const space = await usage()
    const shortage = shortageOf(space, neededBytes)
    if (shortage !== undefined) throw refusal(blobsFolder, shortage, space, neededBytes)
  }

  return {
    async admit(ids) {
      using stack = new DisposableStack()
      // At once, before anything is waited for: from here on a clean-up leaves them alone.
      stack.use(claims.lease(ids.map(({ digest }) => digest)))
      await turns.run('', async () => {
        await fit(ids)
        stack.use(claims.promise(ids))
      })
      return stack.move()
    },
    usage,
    whenShort(ask) {
      makeRoom = ask
    },
  }
}

function refusal(folder: string, { kind }: Shortage, space: Space, neededBytes: number): Error {
  const { usedBytes, promisedBytes, freeBytes, minFreeBytes, quotaBytes = 0 } = space
  const needed = `${mib(neededBytes)} do not fit in ${folder}`
  const promised = promisedBytes === 0 ? '' : `, ${mib(promisedBytes)} are promised to downloads`
  const tried = 'no blob that may go is large enough'
  if (kind === 'quota') {
    const fix = 'raise storage.quota, unpin blobs, or uninstall an app'
    return new StoreError(
      'QUOTA_EXCEEDED',
      `${needed}: ${mib(usedBytes)} are used${promised} and storage.quota is ${mib(quotaBytes)}; ${tried}: ${fix}`,
    )
  }
  const fix = 'make room on the disk, or lower storage.minimumFree'
  return new FileError(
    'DISK_FULL',
    `${needed}: ${mib(freeBytes)} are free${promised} and ${mib(minFreeBytes)} must stay free; ${tried}: ${fix}`,
  )
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function sum<Item>(items: Iterable<Item>, bytesOf: (item: Item) => number): number {
  let total = 0
  for (const item of items) total += bytesOf(item)
  return total
}
