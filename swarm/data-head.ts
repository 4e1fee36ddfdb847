/** The head of a DATA frame, written in front of the bytes it belongs to, so that both go out in one piece. Pure. */

export const DATA_KIND = 6

/** Length, kind, id and offset. */
export const DATA_HEAD_BYTES = 13

/** Writes the head of a frame with `length` bytes of data into the first bytes of `frame`. */
export function writeDataHead(frame: Buffer, id: number, offset: number, length: number): void {
  frame.writeUInt32BE(DATA_HEAD_BYTES - 4 + length, 0)
  frame.writeUInt8(DATA_KIND, 4)
  frame.writeUInt32BE(id, 5)
  frame.writeUInt32BE(offset, 9)
}
