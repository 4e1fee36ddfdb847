/** What a message costs us, in units of the cheapest one; a peer has a budget of them. Pure. */
import type { Message } from '../wire.ts'

/** Each blob that a peer asks about is looked up, and answered with up to 2 KiB. */
const ASKED_COST = 8
/** A HAVE goes through the schedule of a download, piece by piece. */
const HAVE_COST = 2
const HAVE_BYTES_PER_UNIT = 64

/** A read and an answer cost the same for one byte as for a piece; 500 small blobs a second are enough for anybody. */
const SMALL_BYTES = 16 * 1024
const SMALL_COST = 16

/** A question has the addresses of up to 16 peers looked up. */
const PEERS_COST = 8

export function messageCost(message: Message, frameBytes: number): number {
  switch (message.kind) {
    case 'who-has':
      return 1 + ASKED_COST * message.digests.length
    case 'have':
      return HAVE_COST + Math.floor(frameBytes / HAVE_BYTES_PER_UNIT)
    case 'request':
      return message.length < SMALL_BYTES ? SMALL_COST : 1
    case 'peers':
      return PEERS_COST
    case 'hello':
    case 'bulk':
    case 'layer':
    case 'reject':
    case 'cancel':
      return 1
  }
}

/** Honest peers cut an answer into as few frames as they can. */
const TINY_DATA_BYTES = 1024

/** Data that was asked for costs nothing, unless it comes in crumbs. */
export function dataCost(lengthBytes: number): number {
  return lengthBytes < TINY_DATA_BYTES ? 1 : 0
}
