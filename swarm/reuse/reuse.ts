/** Takes the pieces of one blob from blobs that this node already has, before the network is asked for them. */
import { pieceLengthOf } from '../../src/core/blake3/index.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Bitfield } from '../bitfield.ts'
import { REUSE_BLOBS_MAX, REUSE_LAYER_BYTES_MAX, REUSE_SIMILAR_MAX } from '../limits.ts'
import type { BlobStore, BlobWriter, HeldBlob } from '../ports.ts'
import { needleOf } from './needle.ts'
import { newestOf } from './newest.ts'
import { createReusePlan, type ReusePlan } from './plan.ts'
import { samePlaces } from './same-place.ts'
import { placesOf, type SearchBudget } from './search.ts'

/** Without any gain for this long the network gets everything: reuse may help, never hold up. */
const PATIENCE_MS = 5_000
/** Reading to search must stay cheap beside a download: this often the size of the blob, and something for small ones. */
const SEARCH_SHARE_MAX = 4
const SEARCH_BYTES_MIN = 256 * 1024 * 1024

export interface ReuseDeps {
  readonly store: Pick<BlobStore, 'list' | 'held' | 'read' | 'pieceLayer'>
  readonly clock: Clock
  /** A piece was found here and kept. */
  onReused(pieceIndex: number, bytes: number, from: Digest): void
  /** The network may be asked for everything but these. */
  onWithheld(pieces: Bitfield): void
}

export class Reuse {
  readonly #deps: ReuseDeps
  readonly #writer: BlobWriter
  readonly #similar: readonly Digest[]
  readonly #budget: SearchBudget
  #old: readonly HeldBlob[] = []
  #plan: ReusePlan | undefined
  /** How much further down the last bytes found stand in the old blob. */
  #shift = 0
  #gainAtMs = 0
  #tail: Promise<void> = Promise.resolve()

  /** `similar`: blobs that this one probably grew out of, such as the layers of the release that runs now. */
  constructor(deps: ReuseDeps, writer: BlobWriter, similar: readonly Digest[]) {
    this.#deps = deps
    this.#writer = writer
    this.#similar = similar
    this.#budget = {
      leftBytes: Math.max(SEARCH_BYTES_MIN, SEARCH_SHARE_MAX * writer.blob.sizeBytes),
    }
  }

  /** True when some blob here may have pieces in common with this one: worth to know the layer before anybody is asked. */
  mayHelp(): boolean {
    const { digest, pieceCount } = this.#writer.blob
    if (pieceCount < 2) return false
    for (const other of this.#deps.store.list()) {
      if (other.digest !== digest && other.pieceCount > 1) return true
    }
    return false
  }

  /**
   * Takes what stands at the same place in any blob here; resolves when that is done. The piece layer must be set.
   * @throws FileError `DISK_FULL`
   */
  async start(signal: AbortSignal): Promise<void> {
    const { blob } = this.#writer
    if (blob.isComplete || blob.pieceCount < 2) return
    const layer = await this.#deps.store.pieceLayer(blob.digest)
    if (layer === undefined) return
    const matches = new Map<HeldBlob, number>()
    for await (const { other, indexes } of this.#samePlaces(layer)) {
      signal.throwIfAborted()
      let count = 0
      for (const index of indexes) {
        if (blob.hasPiece(index)) continue
        if (await this.#take(other, index, index * blob.pieceSizeBytes)) count += 1
        signal.throwIfAborted()
      }
      matches.set(other, count)
    }
    this.#old = oldBlobs(this.#deps.store, blob, this.#similar, matches)
    if (this.#old.length === 0 || blob.isComplete) return
    this.#plan = createReusePlan(blob.pieceCount, index => blob.hasPiece(index))
    this.#gainAtMs = this.#deps.clock.monotonicMs()
    this.#tell()
  }

  /** A piece came from the network: what follows it in the old blob may follow it here. */
  noteFetched(pieceIndex: number, bytes: Uint8Array): void {
    if (this.#plan?.isWithheld(pieceIndex + 1) !== true) return
    const needle = needleOf(bytes)
    /* The piece's buffer goes on to others; what is looked for is kept. */
    const kept = needle && { offset: needle.offset, bytes: needle.bytes.slice() }
    /* A store that cannot be read or written fails the download itself; reuse only ends. */
    this.#tail = this.#tail.then(() => this.#pursue(pieceIndex, kept)).catch(() => this.giveUp())
  }

  /** Called now and then: waiting has an end. */
  tick(): void {
    if (this.#plan === undefined || this.#plan.withheldCount === 0) return
    if (this.#deps.clock.monotonicMs() - this.#gainAtMs > PATIENCE_MS) this.giveUp()
  }

  /** The network gets everything that is missing. */
  giveUp(): void {
    this.#plan?.giveUp()
    this.#tell()
  }

  /** Resolves when everything that was fetched so far was followed. */
  async idle(): Promise<void> {
    await this.#tail
  }

  /** Ends it; resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#plan?.giveUp()
    await this.#tail
  }

  async *#samePlaces(
    layer: Uint8Array,
  ): AsyncGenerator<{ other: HeldBlob; indexes: readonly number[] }> {
    const { digest, sizeBytes } = this.#writer.blob
    let layerBytes = 0
    for (const other of neighbours(this.#deps.store, digest, this.#similar)) {
      const theirs = await this.#deps.store.pieceLayer(other.digest)
      if (theirs === undefined) continue
      layerBytes += theirs.byteLength
      if (layerBytes > REUSE_LAYER_BYTES_MAX) return
      const indexes = samePlaces(
        { sizeBytes, layer },
        { sizeBytes: other.sizeBytes, layer: theirs },
      )
      if (indexes.length > 0) yield { other, indexes }
    }
  }

  async #pursue(
    pieceIndex: number,
    needle: { offset: number; bytes: Uint8Array } | undefined,
  ): Promise<void> {
    const plan = this.#plan
    const first = pieceIndex + 1
    if (plan?.isWithheld(first) !== true) return
    let found = 0
    if (needle !== undefined) {
      for (const old of this.#old) {
        found = await this.#followIn(old, first, needle)
        if (found > 0) break
      }
    }
    plan.noteEnd(first + found, found)
    if (found > 0) this.#gainAtMs = this.#deps.clock.monotonicMs()
    this.#tell()
  }

  /** Tries each place of the needle; from the first that fits, as many pieces as are alike. */
  async #followIn(
    old: HeldBlob,
    first: number,
    needle: { offset: number; bytes: Uint8Array },
  ): Promise<number> {
    const { pieceSizeBytes } = this.#writer.blob
    const here = (first - 1) * pieceSizeBytes + needle.offset
    const options = { expectedOffset: here + this.#shift, budget: this.#budget }
    for await (const place of placesOf(this.#deps.store, old, needle.bytes, options)) {
      const shift = place - here
      let index = first
      while (this.#plan?.isWithheld(index) === true) {
        if (!(await this.#take(old, index, index * pieceSizeBytes + shift))) break
        this.#plan.noteFound(index)
        index += 1
      }
      if (index === first) continue
      this.#shift = shift
      return index - first
    }
    return 0
  }

  /** True when the piece stands there. Only verified bytes are kept, wherever they come from. */
  async #take(old: HeldBlob, pieceIndex: number, offset: number): Promise<boolean> {
    const { sizeBytes } = this.#writer.blob
    const length = pieceLengthOf(sizeBytes, pieceIndex)
    if (offset < 0 || offset + length > old.sizeBytes) return false
    let bytes: Uint8Array
    try {
      bytes = await this.#deps.store.read(old.digest, offset, length)
    } catch (error) {
      /* Deleted or damaged meanwhile: the network has it. */
      if (codeOf(error) === 'PIECE_ABSENT' || codeOf(error) === 'BLOB_DAMAGED') return false
      throw error
    }
    const outcome = await this.#writer.writePiece(pieceIndex, bytes)
    if (outcome === 'stored') this.#deps.onReused(pieceIndex, length, old.digest)
    return outcome !== 'mismatch'
  }

  #tell(): void {
    if (this.#plan !== undefined) this.#deps.onWithheld(this.#plan.withheld())
  }
}

/** Complete blobs of more than one piece: those said to be similar, then the ones used last. */
function neighbours(
  store: ReuseDeps['store'],
  digest: Digest,
  similar: readonly Digest[],
): readonly HeldBlob[] {
  const first = similar.flatMap(each => store.held(each) ?? [])
  const isNeighbour = (blob: HeldBlob): boolean =>
    blob.digest !== digest && blob.pieceCount > 1 && blob.isComplete
  const others = newestOf(store.list().filter(isNeighbour), REUSE_BLOBS_MAX)
  return [...new Set([...first.filter(isNeighbour), ...others])].slice(0, REUSE_BLOBS_MAX)
}

/** Where moved bytes are looked for: in what is said to be similar, and in what has most in common. */
function oldBlobs(
  store: ReuseDeps['store'],
  target: HeldBlob,
  similar: readonly Digest[],
  matches: ReadonlyMap<HeldBlob, number>,
): readonly HeldBlob[] {
  const away = (blob: HeldBlob): number => Math.abs(blob.sizeBytes - target.sizeBytes)
  const common = [...matches].sort(([, a], [, b]) => b - a).map(([blob]) => blob)
  const said = similar
    .flatMap(digest => store.held(digest) ?? [])
    .filter(blob => blob.isComplete && blob.digest !== target.digest)
    .sort((a, b) => away(a) - away(b))
  return [...new Set([...common, ...said])].slice(0, REUSE_SIMILAR_MAX)
}
