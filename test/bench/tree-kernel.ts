/**
 * How fast pieces are hashed: the tree kernel beside `blake3-wasm`, in MB/s and as a ratio.
 * Usage: node test/bench/tree-kernel.ts [--json]; with `--json` the last line is one JSON object.
 */
import { loadKernel } from '../../src/core/blake3/kernel.ts'
import { createTree } from '../../src/core/blake3/tree.ts'
import { digestOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'

const PIECE_BYTES = 4 * 1024 * 1024
const ROUND_COUNT = 15
const PIECES_PER_ROUND = 8

const piece = bytesOf(PIECE_BYTES, 1)
const kernelTree = createTree(loadKernel())
const plainTree = createTree(undefined)

const subjects: Readonly<Record<string, () => unknown>> = {
  kernel: () => kernelTree.foldBytes(piece, 4096, false),
  blake3Wasm: () => digestOf(piece),
}

/** Megabytes a second (10^6), the median of many short rounds: other work on the machine is left out. */
function measure(run: () => unknown, pieceCount: number, roundCount: number): number {
  run()
  const rounds = Array.from({ length: roundCount }, () => {
    const startMs = performance.now()
    for (let turn = 0; turn < pieceCount; turn++) run()
    return (pieceCount * PIECE_BYTES) / 1e3 / (performance.now() - startMs)
  }).sort((a, b) => a - b)
  return rounds[Math.floor(roundCount / 2)] ?? 0
}

const rates = Object.fromEntries(
  Object.entries(subjects).map(([name, run]) => [
    name,
    measure(run, PIECES_PER_ROUND, ROUND_COUNT),
  ]),
)
const kernel = rates.kernel ?? 0
const blake3Wasm = rates.blake3Wasm ?? 0
const plain = measure(() => plainTree.foldBytes(piece, 4096, false), 1, 5)
const result = {
  bench: 'tree-kernel',
  pieceBytes: PIECE_BYTES,
  kernelMegabytesPerSecond: Math.round(kernel),
  blake3WasmMegabytesPerSecond: Math.round(blake3Wasm),
  plainMegabytesPerSecond: Math.round(plain),
  ratioToBlake3Wasm: Number((kernel / blake3Wasm).toFixed(2)),
}
if (!process.argv.includes('--json')) {
  for (const [name, value] of Object.entries(result)) console.log(`${name}: ${value}`)
} else {
  console.log(JSON.stringify(result))
}
