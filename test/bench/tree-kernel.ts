/**
 * How fast one core hashes pieces: the tree kernel beside `blake3-wasm`, in turns, so that both meet the same machine.
 * Usage: node test/bench/tree-kernel.ts [--json]; `in place` is what a node does, `copied` is the slow way in.
 */
import { createKernelMemory, KERNEL_SPACE_BYTES, loadKernel } from '../../src/core/blake3/kernel.ts'
import { createTree } from '../../src/core/blake3/tree.ts'
import { digestOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'
import { type Row, reportRows } from '../support/report-rows.ts'

const PIECE_BYTES = 4 * 1024 * 1024
const ROUND_COUNT = 41
const FIRST_CHUNK = 4096
const RATIO_MIN = 1.8
/** Nothing asks for this one; it shows what the copy costs. */
const COPIED_RATIO_MIN = 1.5

const memory = createKernelMemory(KERNEL_SPACE_BYTES + PIECE_BYTES)
const tree = createTree(loadKernel({ memory, offset: 0 }))
const plainTree = createTree(undefined)
const piece = bytesOf(PIECE_BYTES, 1)
const inPlace = new Uint8Array(memory.buffer, KERNEL_SPACE_BYTES, PIECE_BYTES)
inPlace.set(piece)

const subjects = {
  blake3Wasm: () => digestOf(piece),
  inPlace: () => tree.foldBytes(inPlace, FIRST_CHUNK, false),
  copied: () => tree.foldBytes(piece, FIRST_CHUNK, false),
  plain: () => plainTree.foldBytes(piece.subarray(0, PIECE_BYTES / 16), FIRST_CHUNK, false),
}
type Subject = keyof typeof subjects

const names = Object.keys(subjects) as Subject[]
const times: Record<Subject, number[]> = { blake3Wasm: [], inPlace: [], copied: [], plain: [] }
for (let round = -1; round < ROUND_COUNT; round++) {
  for (const name of names) {
    const startMs = performance.now()
    subjects[name]()
    // The first round is where the engine compiles.
    if (round >= 0) times[name].push(performance.now() - startMs)
  }
}

function medianMs(name: Subject): number {
  const sorted = [...times[name]].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY
}

/** The median of the ratios within a round. */
function ratioOf(name: Subject): number {
  const ratios = times[name].map((tookMs, round) => (times.blake3Wasm[round] ?? 0) / tookMs)
  return ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0
}

const rate = (name: Subject, bytes = PIECE_BYTES) => Math.round(bytes / 1e3 / medianMs(name))

function rowOf(id: string, name: 'inPlace' | 'copied', ratioMin: number): Row {
  const ratio = ratioOf(name)
  return {
    id,
    must: `≥ ${ratioMin.toFixed(1)} × blake3-wasm 2.1.5, one core`,
    measured: `${ratio.toFixed(2)} ×: ${rate(name)} MB/s beside ${rate('blake3Wasm')} MB/s`,
    ok: ratio >= ratioMin,
  }
}

const isPlainWhole = Buffer.from(tree.foldBytes(piece, FIRST_CHUNK, false)).equals(
  plainTree.foldBytes(piece, FIRST_CHUNK, false),
)
reportRows([
  rowOf('tree kernel, pieces in its memory', 'inPlace', RATIO_MIN),
  rowOf('tree kernel, pieces copied into its memory', 'copied', COPIED_RATIO_MIN),
  {
    id: 'plain code, for processors without vectors',
    must: 'the same chaining value',
    measured: `${rate('plain', PIECE_BYTES / 16)} MB/s, ${isPlainWhole ? 'the same' : 'ANOTHER'}`,
    ok: isPlainWhole,
  },
])
