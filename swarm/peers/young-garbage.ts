/**
 * Frees the buffers that libp2p leaves behind before there are so many that V8 goes through its whole heap for them. Each
 * byte of a stream costs three short-lived buffers outside the heap; V8 counts them and, at 64 MiB, marks everything
 * that lives, which for a node of this size is most of what a stream costs.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A collection of the young costs a millisecond; this many bytes of a stream leave less than half of those 64 MiB. */
const STREAM_BYTES_PER_COLLECTION = 8 * 1024 * 1024

/** Says that this many bytes went over a stream. */
export type NoteStreamBytes = (count: number) => void

export function createYoungGarbageCollector(): NoteStreamBytes {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void
  let bytes = 0
  return count => {
    bytes += count
    if (bytes < STREAM_BYTES_PER_COLLECTION) return
    bytes = 0
    collect({ type: 'minor' })
  }
}
