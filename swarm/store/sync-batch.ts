/**
 * When stored pieces become safe from a power cut: data → sync → bitfield, in batches of at most `SYNC_BYTES_MAX`, and
 * `SYNC_INTERVAL_MS` after a piece was stored at the latest.
 */
import type { Clock } from '../../src/core/clock.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { PieceSet } from './bitfield.ts'
import { SYNC_BYTES_MAX, SYNC_INTERVAL_MS } from './limits.ts'

interface Deps {
  readonly clock: Clock
  readonly log: Log
  /** Makes the data safe. When it fails the kernel may have dropped what was written: those pieces are lost. */
  syncData(): Promise<void>
  /** Records pieces whose data is safe. When it fails nothing is lost, and the next sync tries again. */
  saveSafe(pieces: PieceSet): Promise<void>
  /** Told which pieces are lost. */
  onLost(pieceIndexes: readonly number[]): void
}

export interface SyncBatch extends AsyncDisposable {
  /** The pieces that survive a power cut. */
  readonly safe: PieceSet
  /**
   * Resolves when `lengthBytes` more may be written; they count until `add`, and the sync after it, or `giveRoom`.
   * @throws what the last sync threw
   */
  makeRoom(lengthBytes: number): Promise<void>
  /** Says that a piece was written, for which room was made. */
  add(pieceIndex: number, lengthBytes: number): void
  /** Says that what room was made for was not written after all. */
  giveRoom(lengthBytes: number): void
  /** @throws what `syncData` or `saveSafe` threw */
  sync(): Promise<void>
}

export function createSyncBatch(deps: Deps, initiallySafe: PieceSet): SyncBatch {
  let safe = initiallySafe
  let unsafe = new Map<number, number>()
  const room = createRoom()
  const timer = createTimer(deps.clock, syncBehind)
  let unsafeBytes = 0
  let running: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined

  function checkFailure(): void {
    if (failure !== undefined) throw failure.error
  }

  async function syncOnce(): Promise<void> {
    const batch = unsafe
    unsafe = new Map()
    try {
      await deps.syncData()
    } catch (error) {
      failure = { error }
      deps.onLost([...batch.keys(), ...unsafe.keys()])
      throw error
    }
    const next = safe.copy()
    for (const pieceIndex of batch.keys()) next.add(pieceIndex)
    try {
      await deps.saveSafe(next)
    } catch (error) {
      unsafe = new Map([...batch, ...unsafe])
      throw error
    }
    safe = next
    for (const lengthBytes of batch.values()) {
      unsafeBytes -= lengthBytes
      room.give(lengthBytes)
    }
  }

  /** Everything that was added before the call is safe when it resolves. */
  async function sync(): Promise<void> {
    await running?.catch(() => {
      // Whoever started that sync is told; here only its end matters.
    })
    checkFailure()
    // Somebody else who waited may have begun the next one by now: it has every piece that was added before this call.
    if (running === undefined && unsafe.size > 0) {
      running = syncOnce().finally(() => {
        running = undefined
      })
    }
    await running
  }

  /** A failure is not the caller's of the moment: it is logged, and the next write or sync meets it. */
  function syncBehind(): void {
    sync().catch(error => deps.log.warn('sync failed', { problem: messageOf(error) }))
  }

  return {
    get safe() {
      return safe
    },
    async makeRoom(lengthBytes) {
      checkFailure()
      while (!room.take(lengthBytes)) {
        if (unsafe.size > 0 || running !== undefined) await sync()
        else await room.changed()
        checkFailure()
      }
    },
    giveRoom: lengthBytes => room.give(lengthBytes),
    add(pieceIndex, lengthBytes) {
      room.noteChange()
      if (failure !== undefined) {
        deps.onLost([pieceIndex])
        return
      }
      unsafe.set(pieceIndex, lengthBytes)
      unsafeBytes += lengthBytes
      if (unsafeBytes >= SYNC_BYTES_MAX / 2 && running === undefined) syncBehind()
      timer.start()
    },
    sync,
    async [Symbol.asyncDispose]() {
      await timer[Symbol.asyncDispose]()
      if (failure === undefined) await sync()
    },
  }
}

/** Calls `act` an interval after it was started, unless it is closed before. */
function createTimer(clock: Clock, act: () => void) {
  const closing = new AbortController()
  let running: Promise<void> | undefined
  async function run(): Promise<void> {
    try {
      await clock.sleep(SYNC_INTERVAL_MS, closing.signal)
    } catch {
      return // closed: the last sync is done by whoever closes
    } finally {
      running = undefined
    }
    act()
  }
  return {
    start(): void {
      running ??= run()
    },
    async [Symbol.asyncDispose](): Promise<void> {
      closing.abort()
      await running
    },
  }
}

/** What is being written, or written and not yet safe. */
function createRoom() {
  let usedBytes = 0
  let change = Promise.withResolvers<void>()
  const noteChange = (): void => {
    change.resolve()
    change = Promise.withResolvers()
  }
  return {
    /** One piece always has room, however large. */
    take(lengthBytes: number): boolean {
      if (usedBytes > 0 && usedBytes + lengthBytes > SYNC_BYTES_MAX) return false
      usedBytes += lengthBytes
      return true
    },
    give(lengthBytes: number): void {
      usedBytes -= lengthBytes
      noteChange()
    },
    noteChange,
    changed: () => change.promise,
  }
}
