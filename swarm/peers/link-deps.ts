/** What all links of a node share: the store, the rules, and the memory for what goes out. */
import {
  BULK_CHUNK_BYTES,
  SERVE_BUFFERS_KEPT,
  SERVE_BYTES_PER_PEER_MAX,
  SERVE_BYTES_TOTAL_MAX,
} from '../limits.ts'
import type { Enforcement } from '../serving/enforcement.ts'
import { createFairQueue } from './fair-queue.ts'
import type { LinkDeps } from './link.ts'
import { createSendBuffers } from './send-buffers.ts'

export function createLinkDeps(
  parts: Omit<LinkDeps, 'queue' | 'buffers' | 'report'>,
  { report }: Pick<Enforcement, 'report'>,
): LinkDeps {
  const { store, clock, log, mayServe, serving, bulk } = parts
  const bounds = { perPeerBytes: SERVE_BYTES_PER_PEER_MAX, totalBytes: SERVE_BYTES_TOTAL_MAX }
  return {
    ...{ store, clock, log, serving, bulk, report },
    mayServe: digest => mayServe(digest),
    queue: createFairQueue(bounds),
    buffers: createSendBuffers(BULK_CHUNK_BYTES, SERVE_BUFFERS_KEPT),
  }
}
