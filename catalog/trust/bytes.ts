/** Compares fetched bytes with what a signed parent says they are. */
import { createHash } from 'node:crypto'
import { digestOf } from '../../src/core/digest.ts'
import { CatalogError } from '../errors.ts'
import type { ExpectedBytes } from './model.ts'

/**
 * @throws CatalogError `LENGTH_MISMATCH`, `HASH_MISMATCH`, `HASH_UNKNOWN` (an algorithm that we cannot compute: a hash that
 * nobody checked would look checked)
 * @see TUF 1.0.34 §5.4.3, §5.5.2, §5.6.2, §5.7.3
 */
export function checkBytes(name: string, expected: ExpectedBytes, bytes: Uint8Array): void {
  if (expected.length !== undefined && bytes.length !== expected.length) {
    throw new CatalogError(
      'LENGTH_MISMATCH',
      `${name} has ${bytes.length} bytes; its signed parent says ${expected.length}`,
    )
  }
  for (const [algorithm, hash] of expected.hashes) {
    if (algorithm !== 'sha256' && algorithm !== 'sha512') {
      const kind = JSON.stringify(algorithm.slice(0, 40))
      throw new CatalogError('HASH_UNKNOWN', `${name} has a hash of unknown kind ${kind}`)
    }
    const found = createHash(algorithm).update(bytes).digest('hex')
    if (found !== hash) throw mismatch(name, algorithm, found, hash)
  }
  if (expected.blake3 === undefined) return
  const found = digestOf(bytes)
  if (found !== expected.blake3) throw mismatch(name, 'blake3', found, expected.blake3)
}

function mismatch(name: string, algorithm: string, found: string, wanted: string): CatalogError {
  return new CatalogError(
    'HASH_MISMATCH',
    `${name} has ${algorithm} ${found}; its signed parent says ${wanted}`,
  )
}
