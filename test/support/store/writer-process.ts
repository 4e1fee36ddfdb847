/**
 * A process that fills a blob, to be killed in the middle. Prints `open`, then `stored <piece>` after each piece, and
 * `finished`; or `refused <code>` when the store cannot be opened. It stays alive until it is killed.
 * Usage: node writer-process.ts <store folder> <size in bytes>
 */
import { codeOf } from '../../../src/core/errors.ts'
import { openTestStore } from './open.ts'
import { sampleOf } from './samples.ts'

const [folder = '', sizeText = ''] = process.argv.slice(2)
try {
  const sample = sampleOf(Number(sizeText))
  const store = await openTestStore(folder)
  console.log('open')
  const writer = await store.openWriter(sample.id)
  await writer.setPieceLayer(sample.layer)
  for (let pieceIndex = 0; pieceIndex < sample.pieceCount; pieceIndex++) {
    await writer.writePiece(pieceIndex, sample.piece(pieceIndex))
    console.log(`stored ${pieceIndex}`)
  }
  await writer.finish()
  console.log('finished')
  setInterval(() => {}, 60_000)
} catch (error) {
  console.log(`refused ${codeOf(error)}`)
}
