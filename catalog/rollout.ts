/** Which nodes a staged release has reached: decided by each node from a seed that only it knows. Pure. */
import { digestBytes, digestOf } from '../src/core/digest.ts'
import type { Rollout } from './entry.ts'

/** Bytes of a node's seed. It is made at random and never told, so nobody can aim a release at one node. */
export const ROLLOUT_SEED_BYTES = 32

/**
 * The place of a node among all nodes, from 0 up to (not with) 1: the first four bytes, big-endian, of
 * BLAKE3("rollout/1" 00 salt 00 publisher "." app 00 seed), over 2^32.
 */
export function bucketOf(salt: string, app: string, seed: Uint8Array): number {
  const text = Buffer.from(`rollout/1\0${salt}\0${app}\0`, 'utf8')
  const hash = digestBytes(digestOf(Buffer.concat([text, seed])))
  return Buffer.from(hash).readUInt32BE(0) / 2 ** 32
}

/** How many of a hundred nodes are offered the release; steps that lie in the future do not count. */
export function percentAt({ startMs, steps, halted }: Rollout, nowMs: number): number {
  if (halted) return 0
  const reached = steps.filter(([afterSeconds]) => nowMs >= startMs + afterSeconds * 1000)
  return reached.at(-1)?.[1] ?? 0
}

/** @param app `<publisher>.<app>` */
export function isReached(rollout: Rollout, app: string, seed: Uint8Array, nowMs: number): boolean {
  return bucketOf(rollout.salt, app, seed) < percentAt(rollout, nowMs) / 100
}
