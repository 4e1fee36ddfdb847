/**
 * One measured run of `test/bench/piece-write.ts`, in a process of its own: pieces in memory → verified, on disk, safe.
 * Usage: node piece-write-subject.ts <store|plain> <empty folder> <size in bytes>; prints one JSON object.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import {
  createPieceLayerBuilder,
  pieceCountOf,
  pieceLengthOf,
  pieceSizeOf,
} from '../../../src/core/blake3/index.ts'
import { eachInParallel } from '../../../src/core/parallel.ts'
import { IN_FLIGHT_BYTES_MAX } from '../../../swarm/limits.ts'
import { bytesOf } from '../bytes.ts'
import { openTestStore } from '../store/open.ts'

export interface PieceWriteSample {
  readonly tookMs: number
  /** Until the last piece was written, before the last sync. */
  readonly writtenMs: number
  readonly processorMs: number
  readonly lagMs: number
  readonly lagMaxMs: number
  readonly peakRssBytes: number
}

const [kind = '', folder = '', sizeText = ''] = process.argv.slice(2)
const sizeBytes = Number(sizeText)
const pieceCount = pieceCountOf(sizeBytes)
const indexes = () => Array(pieceCount).keys()
/** The content of every piece: what they hold makes no difference, as the tree counts their places in. */
const content = bytesOf(pieceSizeOf(sizeBytes), 1)
const pieceAt = (index: number) => content.subarray(0, pieceLengthOf(sizeBytes, index))

/** What a download keeps in flight, but never more than there are bytes for. */
const parallelCount = Math.floor(IN_FLIGHT_BYTES_MAX / pieceSizeOf(sizeBytes))

interface Subject extends AsyncDisposable {
  write(index: number): Promise<void>
  finish(): Promise<void>
}

async function openStoreSubject(): Promise<Subject> {
  const builder = createPieceLayerBuilder(sizeBytes)
  for (const index of indexes()) builder.update(pieceAt(index))
  const { digest, layer } = builder.finish()
  const store = await openTestStore(folder)
  const writer = await store.openWriter({ digest, sizeBytes })
  if (layer !== undefined) await writer.setPieceLayer(layer)
  return {
    async write(index) {
      const piece = pieceAt(index)
      const bytes = store.memory.take(piece.length)
      bytes.set(piece)
      const outcome = await writer.writePiece(index, bytes)
      store.memory.give(bytes)
      if (outcome !== 'stored') throw new Error(`piece ${index}: ${outcome}`)
    },
    async finish() {
      await writer.finish()
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** The same bytes, copied once too, written by the thread pool of Node and synced at the end. */
async function openPlainSubject(): Promise<Subject> {
  const handle = await open(join(folder, 'data'), 'w')
  return {
    async write(index) {
      const bytes = Uint8Array.from(pieceAt(index))
      await handle.write(bytes, 0, bytes.length, index * content.length)
    },
    finish: () => handle.datasync(),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

await using subject = await (kind === 'store' ? openStoreSubject() : openPlainSubject())
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const cpu = process.cpuUsage()
const startMs = performance.now()
await eachInParallel(indexes(), parallelCount, index => subject.write(index))
const writtenMs = performance.now() - startMs
await subject.finish()
const tookMs = performance.now() - startMs
const { user, system } = process.cpuUsage(cpu)
delay.disable()
const sample: PieceWriteSample = {
  tookMs,
  writtenMs,
  processorMs: (user + system) / 1000,
  lagMs: delay.percentile(99) / 1e6 - 1,
  lagMaxMs: delay.max / 1e6 - 1,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
}
console.log(JSON.stringify(sample))
