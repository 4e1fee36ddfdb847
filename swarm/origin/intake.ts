/** Where the bytes of an answer go: straight into the memory of whoever asked. */

export interface RangeIntake {
  /** Memory for the next bytes, never empty before the whole range came. */
  room(): Uint8Array
  /** So many were put there. With a promise: nothing more is read until it resolves, and its rejection ends the answer. */
  advance(count: number): Promise<void> | undefined
}

/** Copies a chunk that came in elsewhere. */
export async function fill(intake: RangeIntake, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    const room = intake.room()
    const part = chunk.subarray(at, at + room.byteLength)
    room.set(part)
    at += part.byteLength
    await intake.advance(part.byteLength)
  }
}
