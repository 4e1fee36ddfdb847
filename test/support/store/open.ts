/** Stores for tests: in a folder that goes away, and as a process of their own that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import { type Log, silentLog } from '../../../src/core/log.ts'
import type { BlobStore } from '../../../swarm/ports.ts'
import { openBlobStore } from '../../../swarm/store/open.ts'

export interface TestFolder extends AsyncDisposable {
  readonly path: string
}

export async function makeFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'archy-store-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

export function openTestStore(
  folder: string,
  options: { minFreeBytes?: number; quotaBytes?: number; log?: Log; clock?: Clock } = {},
): Promise<BlobStore> {
  const { minFreeBytes = 0, quotaBytes, log = silentLog, clock = systemClock } = options
  return openBlobStore({ folder, clock, log }, { minFreeBytes, quotaBytes })
}

/** A log that keeps the messages. */
export function createKeptLog(): Log & { readonly messages: readonly string[] } {
  const messages: string[] = []
  const keep = (message: string) => {
    messages.push(message)
  }
  const log = { messages, debug: keep, info: keep, warn: keep, error: keep, child: () => log }
  return log
}

export interface WriterProcess {
  readonly process: ChildProcess
  /** The lines that it prints, as they come. */
  readonly lines: AsyncIterableIterator<string>
  readonly exited: Promise<unknown>
}

/** Starts `writer-process.ts`; the caller kills it. */
export function startWriterProcess(folder: string, sizeBytes: number): WriterProcess {
  const script = fileURLToPath(new URL('writer-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, folder, String(sizeBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise(resolve => child.once('exit', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { process: child, lines, exited }
}
