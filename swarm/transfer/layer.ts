/** Gets the piece layer of a blob from whoever answers first. It proves itself, so anyone may give it. */
import type { Clock } from '../../src/core/clock.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { Origin } from '../origin/origin.ts'
import type { Answer } from '../peers/requests.ts'
import type { BlobWriter } from '../ports.ts'
import { BACKOFF_FIRST_MS, ORIGIN_DELAY_HOLDER_MS, ORIGIN_DELAY_MS } from './policy.ts'
import type { PeerSource, Refusal } from './sources.ts'

const LAYER_BYTES_PER_PIECE = 32
/** A layer has at most 512 KiB; a peer that needs longer is passed over for this round. */
const PEER_TIMEOUT_MS = 5_000
/** How often to look for a new holder: quickly at first, then seldom, because then nobody may come for hours. */
const POLL_FIRST_MS = 20
const POLL_MAX_MS = 500
const RETRY_MAX_MS = 15_000

export interface LayerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly origins: readonly Origin[]
  /** Peers that said they hold some of the blob. */
  holders(): readonly PeerSource[]
  readonly peersExpected: boolean
  onRefused(refusal: Refusal): void
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
  const either = AbortSignal.any([signal, done.signal])
  try {
    await Promise.race([askPeers(deps, writer, either), askOrigins(deps, writer, either)])
  } finally {
    done.abort(new Error('the piece layer is known'))
  }
}

async function askPeers(deps: LayerDeps, writer: BlobWriter, signal: AbortSignal): Promise<void> {
  const retryAtMs = new Map<string, number>()
  let pollMs = POLL_FIRST_MS
  for (;;) {
    const nowMs = deps.clock.monotonicMs()
    const link = deps.holders().find(peer => (retryAtMs.get(peer.peerId) ?? 0) <= nowMs)
    if (link === undefined) {
      await deps.clock.sleep(pollMs, signal)
      pollMs = Math.min(pollMs * 1.1, POLL_MAX_MS)
      continue
    }
    retryAtMs.set(link.peerId, nowMs + PEER_TIMEOUT_MS)
    const answer = await askPeer(deps, writer, link, signal)
    signal.throwIfAborted()
    if (answer.kind !== 'bytes') continue
    if (await accept(deps, writer, answer.bytes, { source: 'peer', name: link.peerId })) return
  }
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

async function askOrigins(deps: LayerDeps, writer: BlobWriter, signal: AbortSignal): Promise<void> {
  if (deps.peersExpected) {
    await deps.clock.sleep(ORIGIN_DELAY_MS, signal)
    if (deps.holders().length > 0) {
      await deps.clock.sleep(ORIGIN_DELAY_HOLDER_MS - ORIGIN_DELAY_MS, signal)
    }
  }
  for (let delayMs = BACKOFF_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
    for (const origin of deps.origins) {
      if (await tryOrigin(deps, writer, origin, signal)) return
    }
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
    return true
  } catch (error) {
    if (codeOf(error) !== 'PIECE_LAYER_MISMATCH') throw error
    deps.onRefused({ digest: writer.blob.digest, pieceIndex: undefined, ...from })
    return false
  }
}
