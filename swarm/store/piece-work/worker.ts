/** A thread that hashes pieces where they lie in the shared memory, and writes those that are right. */
import { readSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { isPiece, pieceChainingValue } from '../../../src/core/blake3/piece.ts'
import { createSharedTree } from '../../../src/core/blake3/tree.ts'
import { codeOf, messageOf } from '../../../src/core/errors.ts'
import { WRITE_BYTES_MAX } from '../limits.ts'
import type { Job, JobAnswer, JobResult, WorkerStart } from './job.ts'

// What the pool gives; nobody else starts this file.
const { memory, kernelOffset } = workerData as WorkerStart
const tree = createSharedTree({ memory, offset: kernelOffset })

function run(job: Job): JobResult {
  const bytes = new Uint8Array(memory.buffer, job.byteOffset, job.lengthBytes)
  if (job.kind === 'hash' && !read(job.fd, bytes, job.fileOffset)) return { kind: 'short' }
  if (job.kind === 'hash') {
    const chainingValue = pieceChainingValue(bytes, job.pieceIndex, job.sizeBytes, tree)
    return { kind: 'hashed', chainingValue }
  }
  if (!isPiece(bytes, job, tree)) return { kind: 'mismatch' }
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, WRITE_BYTES_MAX)
    done += writeSync(job.fd, bytes, done, length, job.fileOffset + done)
  }
  return { kind: 'written' }
}

/** False when the file ends before `bytes` are full. */
function read(fd: number, bytes: Uint8Array, fileOffset: number): boolean {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(fd, bytes, done, bytes.length - done, fileOffset + done)
    if (count === 0) return false
    done += count
  }
  return true
}

parentPort?.on('message', (job: Job) => {
  let result: JobResult
  try {
    result = run(job)
  } catch (error) {
    result = { kind: 'failed', code: codeOf(error), message: messageOf(error) }
  }
  parentPort?.postMessage({ id: job.id, result } satisfies JobAnswer)
})
