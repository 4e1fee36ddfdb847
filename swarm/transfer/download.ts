/** Runs one session: turns its actions into requests to peers and origins, and what comes back into its events. */
import type { Origin } from '../origin/origin.ts'
import type { PeerPieces } from '../peers/holding.ts'
import type { BlobWriter, BytesBySource } from '../ports.ts'
import { Reuse } from '../reuse/reuse.ts'
import { type Ask, type Asking, askOrigin, askPeer } from './asking.ts'
import type { DownloadView } from './download-view.ts'
import { acquireLayer } from './layer.ts'
import {
  ORIGIN_CONNECTIONS_MAX,
  SEEK_INTERVAL_MS,
  STUCK_LOG_INTERVAL_MS,
  TICK_MS,
} from './policy.ts'
import { createSession, type Session, type SessionAction, type SessionEvent } from './session.ts'
import type { DownloadDeps, PeerSource } from './sources.ts'

interface Source {
  readonly kind: keyof BytesBySource
  readonly name: string
  readonly ask: (action: Ask, signal: AbortSignal) => Promise<SessionEvent | undefined>
  verifiedBytes: number
}

export class Download {
  readonly #deps: DownloadDeps
  readonly #writer: BlobWriter
  readonly #session: Session
  readonly #reuse: Reuse
  readonly #sources = new Map<string, Source>()
  readonly #holders = new Map<string, PeerSource>()
  readonly #unwatch = new Map<string, () => void>()
  readonly #running = new Map<number, AbortController>()
  readonly #peersExpected: boolean
  readonly #finished = Promise.withResolvers<void>()
  readonly #stop = new AbortController()
  #freshPieces: number[] = []
  #reusedBytes = 0
  #canVerify = false
  #originsHaveLayer = true
  #seekAtMs = 0
  #stuckLogAtMs = 0

  constructor(deps: DownloadDeps, writer: BlobWriter) {
    this.#deps = deps
    this.#writer = writer
    this.#peersExpected = deps.peers.list().length > 0
    const { blob } = writer
    const startedMs = deps.clock.monotonicMs()
    this.#session = createSession({
      sizeBytes: blob.sizeBytes,
      pieceSizeBytes: blob.pieceSizeBytes,
      pieceCount: blob.pieceCount,
      isHeld: index => blob.hasPiece(index),
      seed: Math.floor(deps.random() * 2 ** 32),
      startedMs,
      peersExpected: this.#peersExpected,
    })
    this.#reuse = new Reuse(
      {
        ...deps,
        onReused: (pieceIndex, bytes) => this.#noteReused(pieceIndex, bytes),
        onWithheld: pieces => this.#dispatch({ kind: 'withheld', pieces }),
      },
      writer,
      deps.similar,
    )
    /* Awaited in `run`; a failure of the store after an abort has nobody left to tell. */
    this.#finished.promise.catch(() => {})
    this.#seekAtMs = startedMs + SEEK_INTERVAL_MS
    this.#stuckLogAtMs = startedMs + SEEK_INTERVAL_MS
  }

  /** Resolves when every piece is held. Rejects with the signal, or when the store cannot keep the bytes. */
  async run(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    const undo = this.#deps.peers.onChange((change, link) => {
      if (change === 'joined') this.#addPeer(link)
      else this.#dropPeer(link)
    })
    try {
      for (const link of this.#deps.peers.list()) this.#addPeer(link)
      for (const origin of this.#deps.origins) this.#addOrigin(origin)
      const ticking = this.#tickUntil(either)
      await Promise.race([ticking, this.#fill(either)])
      this.#offerFreshPieces()
    } finally {
      undo()
      this.#rememberRates()
      this.#stop.abort(new Error('the download has ended'))
      for (const unwatch of this.#unwatch.values()) unwatch()
      for (const controller of this.#running.values()) controller.abort(this.#stop.signal.reason)
      await this.#reuse.close()
    }
  }

  view(): DownloadView {
    const view = this.#session.view(this.#deps.clock.monotonicMs())
    const rates = new Map(view.sources.map(({ id, rate }) => [id, rate]))
    const isWithoutLayer = !this.#canVerify && !this.#originsHaveLayer && this.#holders.size === 0
    const bytes = { peer: 0, origin: 0 }
    for (const { kind, verifiedBytes } of this.#sources.values()) bytes[kind] += verifiedBytes
    return {
      heldBytes: view.heldBytes,
      missingPieceCount: view.missingPieceCount,
      withoutSourceCount: isWithoutLayer ? view.missingPieceCount : view.withoutSourceCount,
      bytes,
      reusedBytes: this.#reusedBytes,
      sources: [...this.#sources].map(([id, { kind, name, verifiedBytes }]) => {
        return { kind, name, verifiedBytes, bytesPerSecond: Math.round(rates.get(id) ?? 0) }
      }),
    }
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const layerDeps = {
      ...this.#deps,
      holders: () => [...this.#holders.values()],
      peersExpected: this.#peersExpected,
      onOriginsFailed: () => {
        this.#originsHaveLayer = false
      },
    }
    await acquireLayer(layerDeps, this.#writer, signal)
    await this.#reuse.start(signal)
    this.#canVerify = true
    this.#dispatch({ kind: 'tick' })
    await this.#finished.promise
  }

  async #tickUntil(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(TICK_MS, signal)
      this.#dispatch({ kind: 'tick' })
      this.#offerFreshPieces()
      this.#reuse.tick()
      this.#seekWhenStuck()
    }
  }

  #addPeer(link: PeerSource): void {
    const id = `peer:${link.peerId}`
    const { digest, pieceCount } = this.#writer.blob
    this.#unwatch.get(id)?.()
    const known = this.#sources.get(id)
    this.#sources.set(id, {
      kind: 'peer',
      name: link.peerId,
      ask: (action, signal) => askPeer(this.#asking(id), link, action, signal),
      verifiedBytes: known?.verifiedBytes ?? 0,
    })
    this.#dispatch({
      kind: 'joined',
      source: id,
      sourceKind: 'peer',
      requestsMax: link.requestsMax,
      rate: this.#deps.rates.get(id),
    })
    this.#unwatch.set(
      id,
      link.watch(digest, pieceCount, pieces => this.#noteHolding(id, link, pieces)),
    )
  }

  #noteHolding(id: string, link: PeerSource, pieces: PeerPieces): void {
    if (pieces !== 'none') this.#holders.set(id, link)
    else this.#holders.delete(id)
    this.#dispatch({ kind: 'holds', source: id, pieces })
  }

  #dropPeer(link: PeerSource): void {
    const id = `peer:${link.peerId}`
    this.#unwatch.get(id)?.()
    this.#unwatch.delete(id)
    this.#holders.delete(id)
    this.#dispatch({ kind: 'left', source: id })
  }

  #addOrigin(origin: Origin): void {
    const id = `origin:${origin.url}`
    this.#sources.set(id, {
      kind: 'origin',
      name: origin.url,
      ask: (action, signal) => askOrigin(this.#asking(id), origin, action, signal),
      verifiedBytes: 0,
    })
    this.#dispatch({
      kind: 'joined',
      source: id,
      sourceKind: 'origin',
      requestsMax: ORIGIN_CONNECTIONS_MAX,
      rate: this.#deps.rates.get(id),
    })
  }

  #dispatch(event: SessionEvent): void {
    if (this.#stop.signal.aborted) return
    const nowMs = this.#deps.clock.monotonicMs()
    const budgetBytes = this.#canVerify ? Math.max(0, this.#deps.budget.leftBytes()) : -1
    for (const action of this.#session.handle(event, nowMs, budgetBytes)) this.#act(action)
    if (this.#session.isComplete()) this.#finished.resolve()
  }

  #act(action: SessionAction): void {
    const source = this.#sources.get(action.source)
    if (source === undefined) return
    switch (action.kind) {
      case 'ask':
        void this.#ask(source, action)
        return
      case 'cancel':
        this.#running.get(action.request)?.abort(new Error('the session took the request back'))
        return
      case 'ban': {
        const { digest } = this.#writer.blob
        const { kind, name } = source
        this.#deps.onRefused({ digest, pieceIndex: action.pieceIndex, source: kind, name })
        return
      }
    }
  }

  /** Never rejects: a failure of the store ends the whole download. */
  async #ask(source: Source, action: Ask): Promise<void> {
    const controller = new AbortController()
    const { pieceSizeBytes } = this.#writer.blob
    this.#running.set(action.request, controller)
    this.#deps.budget.take(pieceSizeBytes)
    let ended: SessionEvent | undefined
    try {
      ended = await source.ask(action, controller.signal)
    } catch (error) {
      this.#finished.reject(error)
    } finally {
      this.#running.delete(action.request)
      this.#deps.budget.give(pieceSizeBytes)
    }
    if (ended !== undefined) this.#dispatch(ended)
  }

  #asking(id: string): Asking {
    return {
      blob: this.#writer.blob,
      log: this.#deps.log,
      onReceived: (request, bytes) => this.#dispatch({ kind: 'received', request, bytes }),
      keep: (request, pieceIndex, bytes) => this.#keep(id, request, pieceIndex, bytes),
      onEvent: event => this.#dispatch(event),
      memory: this.#deps.memory,
    }
  }

  async #keep(
    id: string,
    request: number,
    pieceIndex: number,
    bytes: Uint8Array,
  ): Promise<SessionEvent> {
    const outcome = await this.#writer.writePiece(pieceIndex, bytes)
    const source = this.#sources.get(id)
    if (outcome === 'stored' && source !== undefined) {
      source.verifiedBytes += bytes.byteLength
      this.#reuse.noteFetched(pieceIndex, bytes)
      this.#freshPieces.push(pieceIndex)
      this.#deps.onVerified(source.kind, source.name, bytes.byteLength)
    }
    return { kind: 'piece', request, pieceIndex, outcome }
  }

  /** As a piece from nobody: whoever is asked for it meanwhile is told that it is not needed. */
  #noteReused(pieceIndex: number, bytes: number): void {
    this.#reusedBytes += bytes
    this.#freshPieces.push(pieceIndex)
    this.#dispatch({ kind: 'piece', request: 0, pieceIndex, outcome: 'stored' })
  }

  #rememberRates(): void {
    for (const { id, rate } of this.#session.view(this.#deps.clock.monotonicMs()).sources) {
      if (rate > 0) this.#deps.rates.set(id, rate)
    }
  }

  /** Joins what came in since the last tick into one message per peer. */
  #offerFreshPieces(): void {
    if (this.#freshPieces.length === 0) return
    const pieces = this.#freshPieces
    this.#freshPieces = []
    this.#deps.onPieces(this.#writer.blob, pieces)
  }

  #seekWhenStuck(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs < this.#seekAtMs) return
    this.#seekAtMs = nowMs + SEEK_INTERVAL_MS
    const { digest, sizeBytes } = this.#writer.blob
    const { withoutSourceCount, heldBytes } = this.view()
    if (withoutSourceCount === 0) return
    this.#deps.seekPeers()
    for (const link of this.#deps.peers.list()) link.askAgain(digest)
    if (nowMs < this.#stuckLogAtMs) return
    this.#stuckLogAtMs = nowMs + STUCK_LOG_INTERVAL_MS
    const fields = { digest, sizeBytes, heldBytes, piecesWithoutSource: withoutSourceCount }
    this.#deps.log.warn('blob has no source', fields)
  }
}
