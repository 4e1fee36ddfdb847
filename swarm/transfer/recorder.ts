/** Writes down what happens to one fetch, so that it can be explained afterwards. Pure; everything in it is bounded. */
import type { Explanation, Gap, Milestones, Moment, SourceStory, Trouble } from '../explanation.ts'
import {
  EXPLAINED_GAPS_MAX,
  EXPLAINED_MOMENTS_MAX,
  EXPLAINED_RANGES_MAX,
  EXPLAINED_SOURCES_MAX,
} from '../limits.ts'
import type { BytesBySource, HeldBlob } from '../ports.ts'
import type { SessionAction, SessionEvent, SessionView } from './session-events.ts'

type Ask = SessionAction & { kind: 'ask' }

/** Shorter times without a piece explain nothing. */
const GAP_MS_MIN = 250

interface Known {
  readonly kind: keyof BytesBySource
  readonly name: string
  readonly pieces: Uint8Array
  pieceCount: number
  verifiedBytes: number
  receivedBytes: number
  busyMs: number
  busySinceMs: number
  openCount: number
  askCount: number
  firstAskMs: number | undefined
  firstBytesMs: number | undefined
  readonly troubles: Partial<Record<Trouble, number>>
}

export class Recorder {
  readonly #blob: HeldBlob
  readonly #startedMs: number
  readonly #heldAtStart: number
  readonly #sources = new Map<string, Known>()
  readonly #open = new Map<number, Ask>()
  readonly #askers: Uint16Array
  readonly #first: Moment[] = []
  readonly #last: Moment[] = []
  #gaps: Gap[] = []
  #milestones: { -readonly [K in keyof Milestones]: Milestones[K] } = {}
  #lastPieceMs = 0
  #idleMs = 0
  #idleSinceMs: number | undefined = 0

  /** `startedMs`: on the clock of all later times. */
  constructor(blob: HeldBlob, startedMs: number) {
    this.#blob = blob
    this.#startedMs = startedMs
    this.#heldAtStart = blob.heldPieceCount
    this.#askers = new Uint16Array(blob.pieceCount)
  }

  addSource(id: string, kind: keyof BytesBySource, name: string): void {
    if (this.#sources.has(id) || this.#sources.size >= EXPLAINED_SOURCES_MAX) return
    this.#sources.set(id, {
      ...{ kind, name, pieces: new Uint8Array(Math.ceil(this.#blob.pieceCount / 8)) },
      ...{ pieceCount: 0, verifiedBytes: 0, receivedBytes: 0, busyMs: 0, busySinceMs: 0 },
      ...{ openCount: 0, askCount: 0, firstAskMs: undefined, firstBytesMs: undefined },
      troubles: {},
    })
  }

  noteLayer(source: keyof BytesBySource, name: string, nowMs: number): void {
    this.#milestones.layer ??= { atMs: this.#since(nowMs), source, name }
  }

  noteEvent(event: SessionEvent, nowMs: number): void {
    if (event.kind === 'joined' || event.kind === 'left') {
      this.#addMoment(event.kind, event.source, undefined, nowMs)
    } else if (event.kind === 'received') this.#noteReceived(event.request, event.bytes, nowMs)
    else if (event.kind === 'piece') this.#notePiece(event, nowMs)
    else if (event.kind === 'ended') {
      const ask = this.#close(event.request, nowMs)
      if (ask !== undefined && event.outcome !== 'done') {
        this.#addTrouble(event.outcome, ask, nowMs)
      }
    }
  }

  noteAction(action: SessionAction, nowMs: number): void {
    if (action.kind === 'ask') this.#noteAsk(action, nowMs)
    else if (action.kind === 'cancel') {
      const ask = this.#close(action.request, nowMs)
      if (ask !== undefined) this.#addTrouble(action.reason, ask, nowMs)
    } else {
      const { source, pieceIndex } = action
      this.#count('wrong', source)
      this.#addMoment('wrong', source, pieceIndex, nowMs)
    }
  }

  noteView({ isEnding }: SessionView, nowMs: number): void {
    if (isEnding) this.#milestones.allAskedMs ??= this.#since(nowMs)
  }

  explain(
    view: SessionView,
    rest: Pick<Explanation, 'startedMs' | 'outcome' | 'reason' | 'queuedMs' | 'reusedBytes'>,
    nowMs: number,
  ): Explanation {
    const { digest, sizeBytes, pieceCount, pieceSizeBytes } = this.#blob
    const idleMs = this.#idleMs + (nowMs - (this.#idleSinceMs ?? nowMs))
    return {
      ...{ digest, sizeBytes, pieceCount, pieceSizeBytes, ...rest },
      durationMs: rest.queuedMs + this.#since(nowMs),
      idleMs: Math.round(view.missingPieceCount > 0 ? idleMs : this.#idleMs),
      heldPieceCountAtStart: this.#heldAtStart,
      milestones: { ...this.#milestones },
      duplicateBytes: view.duplicateBytes,
      pieceTimeMs: view.pieceTimeMs,
      sources: [...this.#sources.values()]
        .filter(({ askCount, pieceCount: given }) => askCount > 0 || given > 0)
        .map(source => storyOf(source, this.#blob.pieceCount, nowMs)),
      gaps: [...this.#gaps].sort((a, b) => a.fromMs - b.fromMs),
      moments: [...this.#first, ...this.#last],
    }
  }

  #since(nowMs: number): number {
    return Math.round(nowMs - this.#startedMs)
  }

  #noteAsk(ask: Ask, nowMs: number): void {
    this.#milestones.firstAskMs ??= this.#since(nowMs)
    if (this.#open.size === 0 && this.#idleSinceMs !== undefined) {
      this.#idleMs += nowMs - Math.max(this.#idleSinceMs, this.#startedMs)
      this.#idleSinceMs = undefined
    }
    this.#open.set(ask.request, ask)
    const source = this.#sources.get(ask.source)
    const isCopy = ask.pieceCount === 1 && (this.#askers[ask.firstPiece] ?? 0) > 0
    if (isCopy) this.#addMoment('copied', ask.source, ask.firstPiece, nowMs)
    for (let index = ask.firstPiece; index < ask.firstPiece + ask.pieceCount; index += 1) {
      this.#askers[index] = (this.#askers[index] ?? 0) + 1
    }
    if (source === undefined) return
    if (source.openCount === 0) source.busySinceMs = nowMs
    source.openCount += 1
    source.askCount += 1
    source.firstAskMs ??= this.#since(nowMs)
  }

  #noteReceived(request: number, bytes: number, nowMs: number): void {
    const ask = this.#open.get(request)
    const source = ask && this.#sources.get(ask.source)
    this.#milestones.firstBytesMs ??= this.#since(nowMs)
    if (source === undefined) return
    source.firstBytesMs ??= this.#since(nowMs)
    source.receivedBytes += bytes
  }

  #notePiece(event: SessionEvent & { kind: 'piece' }, nowMs: number): void {
    const { request, pieceIndex, outcome } = event
    const ask = this.#open.get(request)
    const source = ask && this.#sources.get(ask.source)
    if (outcome === 'stored') {
      this.#noteGap(nowMs)
      this.#milestones.lastPieceMs = this.#since(nowMs)
    }
    if (source !== undefined && outcome === 'stored') {
      const bit = 1 << (pieceIndex & 7)
      source.pieces[pieceIndex >> 3] = (source.pieces[pieceIndex >> 3] ?? 0) | bit
      source.pieceCount += 1
      const { sizeBytes, pieceSizeBytes } = this.#blob
      source.verifiedBytes += Math.min(pieceSizeBytes, sizeBytes - pieceIndex * pieceSizeBytes)
    }
    if (ask !== undefined && pieceIndex === ask.firstPiece + ask.pieceCount - 1) {
      this.#close(request, nowMs)
    }
  }

  #noteGap(nowMs: number): void {
    const fromMs = this.#lastPieceMs
    this.#lastPieceMs = this.#since(nowMs)
    const durationMs = this.#lastPieceMs - fromMs
    if (durationMs < GAP_MS_MIN) return
    const names = [...this.#open.values()].map(({ source }) => this.#nameOf(source))
    const owing = [...new Set(names)].slice(0, EXPLAINED_GAPS_MAX)
    this.#gaps = [...this.#gaps, { fromMs, durationMs, owing }]
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, EXPLAINED_GAPS_MAX)
  }

  #close(request: number, nowMs: number): Ask | undefined {
    const ask = this.#open.get(request)
    if (ask === undefined) return undefined
    this.#open.delete(request)
    if (this.#open.size === 0) this.#idleSinceMs = nowMs
    for (let index = ask.firstPiece; index < ask.firstPiece + ask.pieceCount; index += 1) {
      this.#askers[index] = Math.max(0, (this.#askers[index] ?? 0) - 1)
    }
    const source = this.#sources.get(ask.source)
    if (source === undefined) return ask
    source.openCount -= 1
    if (source.openCount === 0) source.busyMs += nowMs - source.busySinceMs
    return ask
  }

  #addTrouble(what: Trouble, ask: Ask, nowMs: number): void {
    this.#count(what, ask.source)
    // Daily life: work that a faster source took over says nothing by itself.
    if (what !== 'moved' && what !== 'lost') {
      this.#addMoment(what, ask.source, ask.firstPiece, nowMs)
    }
  }

  #count(what: Trouble, id: string): void {
    const source = this.#sources.get(id)
    if (source !== undefined) source.troubles[what] = (source.troubles[what] ?? 0) + 1
  }

  #addMoment(
    what: Moment['what'],
    id: string,
    pieceIndex: number | undefined,
    nowMs: number,
  ): void {
    const moment = { atMs: this.#since(nowMs), what, name: this.#nameOf(id), pieceIndex }
    if (this.#first.length < EXPLAINED_MOMENTS_MAX / 2) this.#first.push(moment)
    else if (this.#last.push(moment) > EXPLAINED_MOMENTS_MAX / 2) this.#last.shift()
  }

  #nameOf(id: string): string {
    return this.#sources.get(id)?.name ?? id
  }
}

function storyOf(source: Known, pieceCount: number, nowMs: number): SourceStory {
  const { kind, name, verifiedBytes, receivedBytes, askCount, firstAskMs, firstBytesMs } = source
  const sinceMs = source.openCount > 0 ? nowMs - source.busySinceMs : 0
  return {
    ...{ kind, name, verifiedBytes, receivedBytes, askCount, firstAskMs, firstBytesMs },
    pieces: rangesOf(source.pieces, pieceCount),
    pieceCount: source.pieceCount,
    busyMs: Math.round(source.busyMs + sinceMs),
    troubles: { ...source.troubles },
  }
}

/** `0-12,15`: what is set in a field of bits, the lowest first. */
function rangesOf(bits: Uint8Array, count: number): string {
  const has = (index: number): boolean => (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
  const ranges: string[] = []
  for (let index = 0; index < count; index += 1) {
    if (!has(index)) continue
    const first = index
    while (index + 1 < count && has(index + 1)) index += 1
    if (ranges.length === EXPLAINED_RANGES_MAX) return `${ranges.join(',')},…`
    ranges.push(first === index ? String(first) : `${first}-${index}`)
  }
  return ranges.join(',')
}
