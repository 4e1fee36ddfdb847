/** What every part of `npm run bench:swarm` is given: a folder, the sizes, a voice; and the end of everything it started. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row } from '../../report-rows.ts'
import { type BlobFile, makeBlob } from './blob-file.ts'
import type { Running } from './subject-process.ts'

export interface BenchOptions {
  /** Of the large blob. */
  readonly sizeBytes: number
  readonly repetitions: number
  /** Small sizes: shows that everything runs, and proves little. */
  readonly isQuick: boolean
  /** Where `@number0/iroh` is, or will be installed. */
  readonly rivalsFolder: string
}

export interface Bench extends BenchOptions {
  readonly folder: string
  /** The folder that origins serve. */
  readonly publicFolder: string
  /** Every process that runs for it. */
  readonly running: Running
  say(line: string): void
  /** A folder that is not there yet. */
  newFolder(name: string): string
  /** A blob in `publicFolder`, the same one for the same size and name. */
  blob(name: string, sizeBytes: number): Promise<BlobFile>
}

export interface Part {
  /** The rows that it makes. */
  readonly ids: readonly string[]
  run(bench: Bench): Promise<readonly Row[]>
}

export async function openBench(options: BenchOptions): Promise<Bench & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-bench-'))
  const publicFolder = join(folder, 'public')
  const blobs = new Map<string, Promise<BlobFile>>()
  const running: Running = new Set()
  let count = 0
  return {
    ...options,
    folder,
    publicFolder,
    running,
    say: line => process.stderr.write(`${line}\n`),
    newFolder: name => join(folder, `${name}-${++count}`),
    blob(name, sizeBytes) {
      const key = `${name}-${sizeBytes}`
      const known = blobs.get(key)
      if (known !== undefined) return known
      const made = makeBlob(publicFolder, key, sizeBytes)
      blobs.set(key, made)
      return made
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map(each => each.kill()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
