/**
 * The network of the model: access lines with a bandwidth, and ordered pipes over them with latency, loss and a window
 * as TCP has. Pipes that share a line take turns; nothing is ever lost for good, loss only delays.
 */
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/**
 * What a pipe may have under way: it grows with what arrives, as TCP's window does, and shrinks when the lines hold parcels
 * back for longer than the buffers of a home router would.
 */
const WINDOW_BYTES_FIRST = 64 * 1024
const WINDOW_BYTES_MIN = 64 * 1024
const WINDOW_BYTES_MAX = 2 * 1024 * 1024
const QUEUE_MS_MAX = 200
const WINDOW_SHRINK = 0.8
/** Messages up to this size pass beside the bulk: they cost no time of their own on a line. */
const SMALL_BYTES = 4 * 1024
const PACKET_BYTES = 1448
/** What a lost packet costs beside a round trip when the sender only notices by its timer. */
const RETRANSMIT_TIMEOUT_MS = 300
const RETRANSMIT_TIMEOUT_SHARE = 0.1

interface Parcel {
  readonly bytes: number
  readonly pipe: Pipe
  readonly isSmall: boolean
  readonly sentMs: number
  readonly arrive: () => void
}

type Side = 'up' | 'down'

/** One direction of an access line: parcels leave one after the other, pipe by pipe in turn. */
export class Line {
  readonly #timeline: Timeline
  readonly #side: Side
  readonly #next: (parcel: Parcel) => void
  /** Pipes with parcels, in turn; those before `#first` have had theirs. */
  readonly #turns: Pipe[] = []
  #first = 0
  #isBusy = false
  bytesPerSecond: number
  movedBytes = 0

  constructor(
    timeline: Timeline,
    side: Side,
    bytesPerSecond: number,
    next: (parcel: Parcel) => void,
  ) {
    this.#timeline = timeline
    this.#side = side
    this.bytesPerSecond = bytesPerSecond
    this.#next = next
  }

  push(parcel: Parcel): void {
    const parcels = parcel.pipe.parcels[this.#side]
    parcels.push(parcel)
    if (parcels.length === 1) this.#turns.push(parcel.pipe)
    if (!this.#isBusy) this.#serve()
  }

  #serve(): void {
    for (let pipe = this.#nextTurn(); pipe !== undefined; pipe = this.#nextTurn()) {
      const parcels = pipe.parcels[this.#side]
      const parcel = parcels.shift()
      if (parcels.length > 0) this.#turns.push(pipe)
      if (parcel === undefined || pipe.isClosed) continue
      this.#isBusy = true
      this.#timeline.after((parcel.bytes * 1000) / this.bytesPerSecond, () => {
        this.#isBusy = false
        this.movedBytes += parcel.bytes
        this.#next(parcel)
        if (!this.#isBusy) this.#serve()
      })
      return
    }
  }

  #nextTurn(): Pipe | undefined {
    const pipe = this.#turns[this.#first]
    if (pipe === undefined) return undefined
    this.#first += 1
    if (this.#first >= 64 && this.#first * 2 >= this.#turns.length) {
      this.#turns.splice(0, this.#first)
      this.#first = 0
    }
    return pipe
  }
}

export interface HostSpeed {
  /** Bytes per second. */
  readonly up: number
  readonly down: number
}

/** A machine and its access line. */
export class Host {
  readonly name: string
  readonly up: Line
  readonly down: Line
  /** Small messages that left, in bytes. */
  controlBytes = 0

  constructor(timeline: Timeline, name: string, speed: HostSpeed) {
    this.name = name
    this.up = new Line(timeline, 'up', speed.up, parcel => parcel.pipe.cross(parcel))
    this.down = new Line(timeline, 'down', speed.down, parcel => parcel.pipe.land(parcel))
  }
}

export interface PipeQuality {
  readonly latencyMs: number
  /** The share of packets that must be sent again. */
  readonly loss: number
}

/** One direction of a connection. */
export class Pipe {
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #from: Host
  readonly #to: Host
  readonly #quality: PipeQuality
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    []
  /** Waiting at the two lines. */
  readonly parcels: { readonly [S in Side]: Parcel[] } = { up: [], down: [] }
  readonly #held: Parcel[] = []
  #inFlightBytes = 0
  #windowBytes = WINDOW_BYTES_FIRST
  #shrunkMs = 0
  /** Large parcels under way: a small one behind them may not overtake. */
  #largeCount = 0
  #lastCrossMs = 0
  #pauseCount = 0
  isClosed = false

  constructor(
    deps: { readonly timeline: Timeline; readonly random: Random },
    from: Host,
    to: Host,
    quality: PipeQuality,
  ) {
    this.#timeline = deps.timeline
    this.#random = deps.random
    this.#from = from
    this.#to = to
    this.#quality = quality
  }

  /**
   * Resolves when the pipe takes more. Rejects when it is closed. `mayPass`: a small message does not wait for data, because
   * the bytes of answers have a connection of their own, the bulk channel.
   */
  send(bytes: number, arrive: () => void, mayPass = false): Promise<void> {
    if (this.isClosed) return Promise.reject(new Error('the pipe is closed'))
    const isSmall = bytes <= SMALL_BYTES && (mayPass || this.#largeCount === 0)
    const parcel = { bytes, pipe: this, isSmall, sentMs: this.#timeline.nowMs(), arrive }
    this.#inFlightBytes += bytes
    if (isSmall) {
      this.#from.controlBytes += bytes
      this.cross(parcel)
    } else {
      this.#largeCount += 1
      this.#from.up.push(parcel)
    }
    if (this.#inFlightBytes < this.#windowBytes) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  /** The parcel has left the sender's line. */
  cross(parcel: Parcel): void {
    const atMs = this.#timeline.nowMs() + this.#quality.latencyMs + this.#lossMs(parcel.bytes)
    this.#lastCrossMs = Math.max(this.#lastCrossMs, atMs)
    this.#timeline.after(this.#lastCrossMs - this.#timeline.nowMs(), () => {
      if (this.isClosed) return
      if (parcel.isSmall) this.land(parcel)
      else this.#to.down.push(parcel)
    })
  }

  /** The parcel has passed the receiver's line. */
  land(parcel: Parcel): void {
    if (this.isClosed) return
    if (this.#pauseCount > 0) this.#held.push(parcel)
    else this.#deliver(parcel)
  }

  /** The receiver takes nothing until every `pause` has had its `resume`. */
  pause(): void {
    this.#pauseCount += 1
  }

  resume(): void {
    this.#pauseCount -= 1
    while (this.#pauseCount === 0 && !this.isClosed) {
      const parcel = this.#held.shift()
      if (parcel === undefined) return
      this.#deliver(parcel)
    }
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#held.length = 0
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the pipe is closed'))
  }

  #deliver(parcel: Parcel): void {
    this.#inFlightBytes -= parcel.bytes
    if (!parcel.isSmall) {
      this.#largeCount -= 1
      this.#adjustWindow(parcel)
    }
    parcel.arrive()
    while (this.#inFlightBytes < this.#windowBytes) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      next.resolve()
    }
  }

  /** At most one step down for each round trip: what is under way by then was sent by the old window. */
  #adjustWindow({ bytes, sentMs }: Parcel): void {
    const nowMs = this.#timeline.nowMs()
    if (nowMs - sentMs < this.#quality.latencyMs + QUEUE_MS_MAX) {
      this.#windowBytes = Math.min(WINDOW_BYTES_MAX, this.#windowBytes + bytes)
    } else if (sentMs >= this.#shrunkMs) {
      this.#windowBytes = Math.max(WINDOW_BYTES_MIN, this.#windowBytes * WINDOW_SHRINK)
      this.#shrunkMs = nowMs
    }
  }

  #lossMs(bytes: number): number {
    const { loss, latencyMs } = this.#quality
    if (loss === 0) return 0
    const isHit = this.#random.next() > (1 - loss) ** Math.ceil(bytes / PACKET_BYTES)
    if (!isHit) return 0
    const isSlow = this.#random.next() < RETRANSMIT_TIMEOUT_SHARE
    return 2 * latencyMs + (isSlow ? RETRANSMIT_TIMEOUT_MS : 0)
  }
}
