/** Virtual time: a heap of events, and a clock that moves only from one event to the next. */
import type { Clock } from '../../src/core/clock.ts'

export interface Timer {
  readonly atMs: number
  readonly order: number
  act: (() => void) | undefined
}

export interface Timeline {
  readonly clock: Clock
  nowMs(): number
  /** Calls `act` after `delayMs`; events of one moment run in the order in which they were planned. */
  after(delayMs: number, act: () => void): Timer
  cancel(timer: Timer): void
  /**
   * Runs event after event until `isDone`, or until time `untilMs`, or until nothing is planned. Between two events
   * every promise that can settle does. Rejects with what an event throws.
   */
  run(untilMs: number, isDone: () => boolean): Promise<void>
  readonly eventCount: number
}

/** Real macrotasks that are planned at once: each runs one event and then every promise behind it. */
const BATCH = 256
/** Cancelled timers are swept out when they are more than half of so many. */
const SWEEP_MIN = 1024

export function createTimeline(): Timeline {
  const heap = createHeap()
  let nowMs = 0
  let order = 0
  let cancelled = 0
  let eventCount = 0

  function after(delayMs: number, act: () => void): Timer {
    order += 1
    const timer = { atMs: nowMs + Math.max(0, delayMs), order, act }
    heap.push(timer)
    return timer
  }

  function cancel(timer: Timer): void {
    if (timer.act === undefined) return
    timer.act = undefined
    cancelled += 1
    if (heap.size() < SWEEP_MIN || cancelled < heap.size() / 2) return
    heap.sweep()
    cancelled = 0
  }

  /** False when nothing is planned before `untilMs`. */
  function step(untilMs: number): boolean {
    for (;;) {
      const timer = heap.peek()
      if (timer === undefined || timer.atMs > untilMs) return false
      heap.pop()
      const { act } = timer
      if (act === undefined) {
        cancelled -= 1
        continue
      }
      nowMs = timer.atMs
      timer.act = undefined
      eventCount += 1
      act()
      return true
    }
  }

  return {
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: sleepWith(after, cancel) },
    nowMs: () => nowMs,
    after,
    cancel,
    get eventCount() {
      return eventCount
    },
    run(untilMs, isDone) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      let hasEnded = false
      const one = (): void => {
        if (hasEnded) return
        try {
          if (!isDone() && step(untilMs)) return
          resolve()
        } catch (error) {
          reject(error)
        }
        hasEnded = true
      }
      const round = (): void => {
        if (hasEnded) return
        for (let count = 0; count < BATCH; count += 1) setImmediate(one)
        setImmediate(round)
      }
      setImmediate(round)
      return promise
    },
  }
}

function sleepWith(after: Timeline['after'], cancel: Timeline['cancel']): Clock['sleep'] {
  return (ms, signal) => {
    if (signal === undefined) return new Promise(resolve => after(ms, resolve))
    if (signal.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel(timer)
        reject(signal.reason)
      }
      const timer = after(ms, () => {
        signal.removeEventListener('abort', stop)
        resolve()
      })
      signal.addEventListener('abort', stop, { once: true })
    })
  }
}

interface Heap {
  push(timer: Timer): void
  pop(): void
  peek(): Timer | undefined
  size(): number
  /** Drops the cancelled timers. */
  sweep(): void
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** A binary heap, the earliest timer on top. */
function createHeap(): Heap {
  let timers: Timer[] = []

  function sink(from: number): void {
    const timer = timers[from]!
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= timers.length) break
      if (child + 1 < timers.length && isBefore(timers[child + 1]!, timers[child]!)) child += 1
      const below = timers[child]!
      if (!isBefore(below, timer)) break
      timers[at] = below
      at = child
    }
    timers[at] = timer
  }

  return {
    push(timer) {
      let at = timers.length
      timers.push(timer)
      while (at > 0) {
        const parent = (at - 1) >> 1
        const above = timers[parent]!
        if (!isBefore(timer, above)) break
        timers[at] = above
        at = parent
      }
      timers[at] = timer
    },
    pop() {
      const last = timers.pop()
      if (last === undefined || timers.length === 0) return
      timers[0] = last
      sink(0)
    },
    peek: () => timers[0],
    size: () => timers.length,
    sweep() {
      timers = timers.filter(({ act }) => act !== undefined)
      for (let at = (timers.length >> 1) - 1; at >= 0; at -= 1) sink(at)
    },
  }
}
