/** Gets the piece layer of a blob from whoever answers first. It proves itself, so anyone may give it. */
import type { Clock } from '../../src/core/clock.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { Origin } from '../origin/origin.ts'
import type { Answer } from '../peers/requests.ts'
import type { BlobWriter } from '../ports.ts'
import { BACKOFF_FIRST_MS, ORIGIN_SILENT_MS } from './policy.ts'
import type { PeerSource, Refusal } from './sources.ts'

const LAYER_BYTES_PER_PIECE = 32
/** A layer has at most 512 KiB; a peer that needs longer is passed over for this round. */
const PEER_TIMEOUT_MS = 5_000
/** The next peer is asked as well after this time: an answer of one that is there comes sooner. */
const NEXT_PEER_MS = 200
/** How often to look for a new holder: quickly at first, then seldom, because then nobody may come for hours. */
const POLL_FIRST_MS = 5
const POLL_MAX_MS = 500
const RETRY_MAX_MS = 15_000

export interface LayerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly origins: readonly Origin[]
  /** Peers that said they hold some of the blob. */
  holders(): readonly PeerSource[]
  /** How long after the start the origins are asked, as far as is known now. */
  originDelayMs(): number
  onRefused(refusal: Refusal): void
  /** Somebody was asked for it: what is asked of the same peer from now on comes after it. */
  onAsked(): void
  onFound(from: Pick<Refusal, 'source' | 'name'>): void
  /** No origin has it at the moment. */
  onOriginsFailed(): void
}

/** Resolves when the writer has the layer. Rejects with the signal, or when the layer cannot be stored. */
export async function acquireLayer(
  deps: LayerDeps,
  writer: BlobWriter,
  signal: AbortSignal,
): Promise<void> {
  if (writer.hasPieceLayer || writer.blob.pieceCount < 2) return
  const done = new AbortController()
  const found = Promise.withResolvers<void>()
  const search: Search = {
    ...{ deps, writer, signal: AbortSignal.any([signal, done.signal]) },
    try: async attempt => {
      try {
        if (await attempt) found.resolve()
      } catch (error) {
        found.reject(error)
      }
    },
  }
  try {
    await Promise.race([found.promise, askPeers(search), askOrigins(search)])
  } finally {
    done.abort(new Error('the piece layer is known'))
  }
}

interface Search {
  readonly deps: LayerDeps
  readonly writer: BlobWriter
  readonly signal: AbortSignal
  /** Ends the search with what was found or thrown; resolves in any case when the attempt is over. */
  try(attempt: Promise<boolean>): Promise<void>
}

/** One holder after the other, each while those before it may still answer. Ends with the signal only. */
async function askPeers(search: Search): Promise<void> {
  const { deps, writer, signal } = search
  const retryAtMs = new Map<string, number>()
  for (let pollMs = POLL_FIRST_MS; ; ) {
    const nowMs = deps.clock.monotonicMs()
    const link = deps.holders().find(peer => (retryAtMs.get(peer.peerId) ?? 0) <= nowMs)
    if (link === undefined) {
      await deps.clock.sleep(pollMs, signal)
      pollMs = Math.min(pollMs * 1.1, POLL_MAX_MS)
      continue
    }
    retryAtMs.set(link.peerId, nowMs + PEER_TIMEOUT_MS)
    const asking = search.try(tryPeer(deps, writer, link, signal))
    deps.onAsked()
    await Promise.race([asking, deps.clock.sleep(NEXT_PEER_MS, signal)])
  }
}

async function tryPeer(
  deps: LayerDeps,
  writer: BlobWriter,
  link: PeerSource,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await askPeer(deps, writer, link, signal)
  signal.throwIfAborted()
  if (answer.kind !== 'bytes') return false
  return accept(deps, writer, answer.bytes, { source: 'peer', name: link.peerId })
}

/** The answer, or `cancelled` when it took too long. */
async function askPeer(
  { clock }: LayerDeps,
  { blob }: BlobWriter,
  link: PeerSource,
  signal: AbortSignal,
): Promise<Answer> {
  const answered = new AbortController()
  const late = new AbortController()
  clock.sleep(PEER_TIMEOUT_MS, AbortSignal.any([signal, answered.signal])).then(
    () => late.abort(new Error('the peer gave no piece layer in time')),
    () => {
      /* The answer came first, or nobody waits for it any more. */
    },
  )
  const length = blob.pieceCount * LAYER_BYTES_PER_PIECE
  try {
    return await link.requestLayer(blob.digest, length, {
      signal: AbortSignal.any([signal, late.signal]),
    })
  } finally {
    answered.abort(new Error('the peer has answered'))
  }
}

/**
 * A short while after the peers, because it is small, and long after them in a crowd of which all would ask; the next origin while the one before may still answer. Ends with the
 * signal only.
 */
async function askOrigins(search: Search): Promise<void> {
  const { deps, writer, signal } = search
  const startedMs = deps.clock.monotonicMs()
  for (;;) {
    const leftMs = startedMs + deps.originDelayMs() - deps.clock.monotonicMs()
    if (leftMs <= 0) break
    await deps.clock.sleep(Math.min(leftMs, POLL_MAX_MS), signal)
  }
  for (let delayMs = BACKOFF_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
    const open: Promise<void>[] = []
    for (const origin of deps.origins) {
      const asking = search.try(tryOrigin(deps, writer, origin, signal))
      deps.onAsked()
      open.push(asking)
      await Promise.race([asking, deps.clock.sleep(ORIGIN_SILENT_MS, signal)])
    }
    await Promise.all(open)
    signal.throwIfAborted()
    deps.onOriginsFailed()
    await deps.clock.sleep(delayMs, signal)
  }
}

async function tryOrigin(
  deps: LayerDeps,
  writer: BlobWriter,
  origin: Origin,
  signal: AbortSignal,
): Promise<boolean> {
  const { digest, pieceCount } = writer.blob
  let layer: Uint8Array
  try {
    layer = await origin.fetchLayer(digest, pieceCount * LAYER_BYTES_PER_PIECE, signal)
  } catch (error) {
    signal.throwIfAborted()
    deps.log.debug('origin gave no piece layer', { digest, reason: messageOf(error) })
    return false
  }
  return accept(deps, writer, layer, { source: 'origin', name: origin.url })
}

async function accept(
  deps: LayerDeps,
  writer: BlobWriter,
  layer: Uint8Array,
  from: Pick<Refusal, 'source' | 'name'>,
): Promise<boolean> {
  if (writer.hasPieceLayer) return true
  try {
    await writer.setPieceLayer(layer)
    deps.onFound(from)
    return true
  } catch (error) {
    if (codeOf(error) !== 'PIECE_LAYER_MISMATCH') throw error
    deps.onRefused({ digest: writer.blob.digest, pieceIndex: undefined, ...from })
    return false
  }
}
