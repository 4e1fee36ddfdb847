/** Bytes that look random, do not compress, and depend on a seed alone. */
import { createCipheriv, createHash } from 'node:crypto'

const CHUNK_BYTES = 1024 * 1024

/** Yields `sizeBytes` bytes: the key stream of AES-256 in counter mode under the hash of `seed`. */
export async function* randomBytesOf(seed: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const key = createHash('sha256').update(seed).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(CHUNK_BYTES)
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) {
    yield cipher.update(zeros.subarray(0, Math.min(left, CHUNK_BYTES)))
  }
}
