/** The folder of an origin: where everything lies, and one writer at a time. */
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Digest, hexOf } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import { PublishError } from '../errors.ts'

export interface OriginFolder {
  readonly root: string
  /** One private key per role; nobody but the owner may read it. */
  readonly keys: string
  /** Unsigned state and half-finished files. */
  readonly draft: string
  readonly state: string
  readonly work: string
  /** Documents that were signed on other machines and wait to be published: `<version>.<role>.json`. */
  readonly signed: string
  /** The files of other publishers that this origin lists: `<id>.json`. */
  readonly publishers: string
  /** What any static web server serves. */
  readonly public: string
  readonly catalog: string
  /** Files of publishers, each standing alone: `<id>.json`. */
  readonly feeds: string
  readonly blobs: string
}

export function originFolder(path: string): OriginFolder {
  const root = resolve(path)
  const draft = join(root, 'draft')
  const served = join(root, 'public')
  return {
    root,
    keys: join(root, 'keys'),
    draft,
    state: join(draft, 'state.json'),
    work: join(draft, 'work'),
    signed: join(draft, 'signed'),
    publishers: join(draft, 'publishers'),
    public: served,
    catalog: join(served, 'catalog'),
    feeds: join(served, 'feeds'),
    blobs: join(served, 'blobs', 'blake3'),
  }
}

/** `blobs/blake3/ab/cd/<hex>`; the piece layer is beside it, with the ending `.pieces`. */
export function blobPath(folder: OriginFolder, digest: Digest): string {
  const hex = hexOf(digest)
  return join(folder.blobs, hex.slice(0, 2), hex.slice(2, 4), hex)
}

/**
 * Holds the origin for one writer; an empty work folder is part of it. What a killed process left is taken over.
 * @throws PublishError `ORIGIN_BUSY`
 */
export async function lockOrigin(folder: OriginFolder): Promise<AsyncDisposable> {
  const path = join(folder.draft, 'lock')
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await using file = await open(path, 'wx', 0o600)
      await file.writeFile(String(process.pid))
      break
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      const owner = Number(await readFile(path, 'utf8'))
      if (attempt > 0 || isRunning(owner)) throw busy(folder, owner, path)
      await rm(path, { force: true })
    }
  }
  await rm(folder.work, { recursive: true, force: true })
  await mkdir(folder.work)
  return {
    async [Symbol.asyncDispose]() {
      await rm(folder.work, { recursive: true, force: true })
      await rm(path, { force: true })
    },
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function busy(folder: OriginFolder, pid: number, path: string): PublishError {
  return new PublishError(
    'ORIGIN_BUSY',
    `another process (${pid}) is changing the origin ${folder.root}; wait for it, or remove ${path} if it is not archy`,
  )
}
