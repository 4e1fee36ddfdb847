/** What a blob takes of a disk, which gives whole blocks. Pure. */

/** The block of every file system that is in use here; a larger one makes small blobs cost more than is counted. */
const BLOCK_BYTES = 4096

/** Data, piece layer, and one block for the bitfield. */
export function footprintBytes(dataBytes: number, layerBytes: number): number {
  return wholeBlocks(dataBytes) + wholeBlocks(layerBytes) + BLOCK_BYTES
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}
