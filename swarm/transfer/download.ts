/** Runs one session: turns its actions into requests to peers and origins, and what comes back into its events. */
import type { Explanation } from '../explanation.ts'
import type { BlobWriter } from '../ports.ts'
import { Reuse } from '../reuse/reuse.ts'
import { traced } from '../trace.ts'
import type { Ask, Asking } from './asking.ts'
import type { DownloadView } from './download-view.ts'
import { acquireLayer } from './layer.ts'
import {
  EARLY_BYTES_MAX,
  SEEK_INTERVAL_MS,
  STUCK_LOG_INTERVAL_MS,
  TICK_ENDING_MS,
  TICK_MS,
} from './policy.ts'
import { Recorder } from './recorder.ts'
import { type Listed, Roster } from './roster.ts'
import { createSession, type Session, type SessionAction, type SessionEvent } from './session.ts'
import type { DownloadDeps } from './sources.ts'

export class Download {
  readonly #deps: DownloadDeps
  readonly #writer: BlobWriter
  readonly #session: Session
  readonly #recorder: Recorder
  readonly #reuse: Reuse
  readonly #roster: Roster
  readonly #running = new Map<number, AbortController>()
  readonly #peersExpected: boolean
  readonly #finished = Promise.withResolvers<void>()
  readonly #stop = new AbortController()
  /** Resolves when the piece layer is known. */
  readonly #layer = Promise.withResolvers<void>()
  #freshPieces: number[] = []
  #reusedBytes = 0
  #isLayerAsked = false
  #canVerify = false
  #originsHaveLayer = true
  #seekAtMs = 0
  #stuckLogAtMs = 0

  constructor(deps: DownloadDeps, writer: BlobWriter) {
    this.#deps = deps
    this.#writer = writer
    this.#peersExpected = deps.peers.list().length > 0
    const { blob } = writer
    const { sizeBytes, pieceSizeBytes, pieceCount } = blob
    const startedMs = deps.clock.monotonicMs()
    const session = createSession({
      ...{ sizeBytes, pieceSizeBytes, pieceCount },
      isHeld: index => blob.hasPiece(index),
      seed: Math.floor(deps.random() * 2 ** 32),
      startedMs,
      peersExpected: this.#peersExpected,
    })
    this.#session = traced(session, deps.trace, blob.digest)
    this.#recorder = new Recorder(blob, startedMs)
    this.#roster = new Roster({
      ...{ blob, rates: deps.rates, asking: id => this.#asking(id) },
      dispatch: event => this.#dispatch(event),
      onListed: (id, { kind, name }) => this.#recorder.addSource(id, kind, name),
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
    /* Awaited by whoever has a piece before it; often nobody. */
    this.#layer.promise.catch(() => {})
    this.#seekAtMs = startedMs + SEEK_INTERVAL_MS
    this.#stuckLogAtMs = startedMs + SEEK_INTERVAL_MS
  }

  /** Resolves when every piece is held. Rejects with the signal, or when the store cannot keep the bytes. */
  async run(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    const undo = this.#deps.peers.onChange((change, link) => {
      if (change === 'joined') this.#roster.addPeer(link)
      else this.#roster.dropPeer(link)
    })
    try {
      for (const link of this.#deps.peers.list()) this.#roster.addPeer(link)
      for (const origin of this.#deps.origins) this.#roster.addOrigin(origin)
      const ticking = this.#tickUntil(either)
      await Promise.race([ticking, this.#fill(either)])
      this.#offerFreshPieces()
    } finally {
      undo()
      this.#rememberRates()
      this.#stop.abort(new Error('the download has ended'))
      this.#layer.reject(this.#stop.signal.reason)
      this.#roster.close()
      for (const controller of this.#running.values()) controller.abort(this.#stop.signal.reason)
      await this.#reuse.close()
    }
  }

  view(): DownloadView {
    const view = this.#session.view(this.#deps.clock.monotonicMs())
    const rates = new Map(view.sources.map(({ id, rate }) => [id, rate]))
    const hasHolder = this.#roster.holders().length > 0
    const isWithoutLayer = !this.#canVerify && !this.#originsHaveLayer && !hasHolder
    const bytes = { peer: 0, origin: 0 }
    const sources = [...this.#roster.entries()].map(([id, { kind, name, verifiedBytes }]) => {
      bytes[kind] += verifiedBytes
      return { kind, name, verifiedBytes, bytesPerSecond: Math.round(rates.get(id) ?? 0) }
    })
    return {
      heldBytes: view.heldBytes,
      missingPieceCount: view.missingPieceCount,
      withoutSourceCount: isWithoutLayer ? view.missingPieceCount : view.withoutSourceCount,
      bytes,
      reusedBytes: this.#reusedBytes,
      sources,
    }
  }

  explain(rest: Omit<Parameters<Recorder['explain']>[1], 'reusedBytes'>): Explanation {
    const nowMs = this.#deps.clock.monotonicMs()
    const all = { ...rest, reusedBytes: this.#reusedBytes }
    return this.#recorder.explain(this.#session.view(nowMs), all, nowMs)
  }

  /** How many downloads run: they share what each peer accepts at once. */
  shareWith(downloadCount: number): void {
    this.#roster.shareWith(downloadCount)
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const draw = this.#deps.random()
    const layerDeps = {
      ...this.#deps,
      holders: () => this.#roster.holders(),
      originDelayMs: () => (this.#peersExpected ? this.#roster.originDelayMs(draw) : 0),
      onAsked: () => {
        this.#isLayerAsked = true
        this.#dispatch({ kind: 'tick' })
      },
      onFound: ({ source, name }: Pick<Listed, 'name'> & { source: Listed['kind'] }) =>
        this.#recorder.noteLayer(source, name, this.#deps.clock.monotonicMs()),
      onOriginsFailed: () => {
        this.#originsHaveLayer = false
      },
    }
    await acquireLayer(layerDeps, this.#writer, signal)
    this.#layer.resolve()
    await this.#reuse.start(signal)
    this.#canVerify = true
    this.#dispatch({ kind: 'tick' })
    await this.#finished.promise
  }

  async #tickUntil(signal: AbortSignal): Promise<void> {
    for (;;) {
      const nowMs = this.#deps.clock.monotonicMs()
      const view = this.#session.view(nowMs)
      this.#recorder.noteView(view, nowMs)
      await this.#deps.clock.sleep(view.isEnding ? TICK_ENDING_MS : TICK_MS, signal)
      this.#roster.noteFellows()
      this.#roster.noteStrays()
      this.#dispatch({ kind: 'tick' })
      this.#offerFreshPieces()
      this.#reuse.tick()
      this.#seekWhenStuck()
    }
  }

  #dispatch(event: SessionEvent): void {
    if (this.#stop.signal.aborted) return
    const nowMs = this.#deps.clock.monotonicMs()
    this.#recorder.noteEvent(event, nowMs)
    for (const action of this.#session.handle(event, nowMs, this.#budgetBytes())) {
      this.#recorder.noteAction(action, nowMs)
      this.#act(action)
    }
    if (this.#session.isComplete()) this.#finished.resolve()
  }

  /**
   * Until pieces can be verified only a few are asked for, behind the layer, and none when this node may have them in
   * another blob: then the layer says which are needed.
   */
  #budgetBytes(): number {
    const leftBytes = Math.max(0, this.#deps.budget.leftBytes())
    if (this.#canVerify) return leftBytes
    if (!this.#isLayerAsked || this.#reuse.mayHelp()) return -1
    const earlyBytes = EARLY_BYTES_MAX - this.#running.size * this.#writer.blob.pieceSizeBytes
    return earlyBytes <= 0 ? -1 : Math.min(leftBytes, earlyBytes)
  }

  #act(action: SessionAction): void {
    const source = this.#roster.get(action.source)
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
  async #ask(source: Listed, action: Ask): Promise<void> {
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
    const { hasPieceLayer, blob } = this.#writer
    if (!hasPieceLayer && blob.pieceCount > 1) await this.#layer.promise
    const outcome = await this.#writer.writePiece(pieceIndex, bytes)
    const source = this.#roster.get(id)
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
    this.#deps.onStuck()
    this.#deps.seekPeers()
    for (const link of this.#deps.peers.list()) link.askAgain(digest)
    if (nowMs < this.#stuckLogAtMs) return
    this.#stuckLogAtMs = nowMs + STUCK_LOG_INTERVAL_MS
    const fields = { digest, sizeBytes, heldBytes, piecesWithoutSource: withoutSourceCount }
    this.#deps.log.warn('blob has no source', fields)
  }
}
