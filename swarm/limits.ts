/** Bounds of the swarm that users must not change, each with its reason. Settings with a choice are in `options.ts`. */

/** One DATA message. Larger sends make js-libp2p queue without limit and overflow the receiver. */
export const DATA_BYTES_MAX = 64 * 1024

/** The largest message body: DATA with its header, and a little room for messages of later versions. */
export const FRAME_BYTES_MAX = DATA_BYTES_MAX + 1024

/** A request asks for one piece at most, and no piece is larger. */
export const REQUEST_BYTES_MAX = 4 * 1024 * 1024

/** Blobs of one WHO_HAS; a release of a large app has fewer. */
export const WHO_HAS_COUNT_MAX = 256

/** Pieces of one blob: 64 GiB at the largest piece size. Bounds every bit field that a peer may send. */
export const PIECE_COUNT_MAX = 16_384

/** Requests that one peer may have open here; more are rejected. Covers 3 s of queue on a fast link. */
export const REQUESTS_PER_PEER_MAX = 64

/** Blobs of which one peer is told changes; the oldest is forgotten. */
export const SUBSCRIPTIONS_PER_PEER_MAX = 512

/** Read from the store and queued to one peer at a time. */
export const SERVE_CHUNK_BYTES = 256 * 1024

/** Queued to one peer and not yet taken by its connection: what a peer that stops reading can hold here. */
export const SERVE_BYTES_PER_PEER_MAX = 1024 * 1024

/** The same, over all peers. */
export const SERVE_BYTES_TOTAL_MAX = 8 * 1024 * 1024

/** A peer that takes nothing for this long while bytes are waiting for it is disconnected. */
export const SERVE_STALL_TIMEOUT_MS = 30_000

/** Control messages waiting for a peer that does not read them; more means it never will. */
export const OUTBOX_BYTES_MAX = 2 * 1024 * 1024

/** Data that nobody waits for: late bytes of cancelled requests are normal, more is a flood. */
export const STRAY_BYTES_MAX = 256 * 1024 * 1024

/** Bytes asked for and not yet written, over all downloads: what downloading costs in memory. */
export const IN_FLIGHT_BYTES_MAX = 48 * 1024 * 1024

/** A peer that opened a stream must say HELLO within this time. */
export const HELLO_TIMEOUT_MS = 5_000

/** Peers of one DHT answer that are dialled: a false answer costs no more dials than this. */
export const DIALS_PER_LOOKUP_MAX = 20

/** Longer than a lookup in a private network of some hundred nodes; kad-dht itself would wait 180 s. */
export const LOOKUP_TIMEOUT_MS = 5_000

/** Addresses of good peers that are kept across restarts. */
export const REMEMBERED_PEERS_MAX = 64

/** Bytes of a state file of the swarm. */
export const STATE_FILE_BYTES_MAX = 1024 * 1024

/** One message with a part of a catalog file; fits a frame. */
export const RELAY_CHUNK_BYTES = 64 * 1024

/** The largest catalog file, a snapshot. */
export const RELAY_FILE_BYTES_MAX = 8_000_000

/** The largest timestamp. */
export const RELAY_TIMESTAMP_BYTES_MAX = 16_384

/** `<version>.<role>.json` with a long role name, every character of it escaped. */
export const RELAY_NAME_BYTES_MAX = 512

/** Catalog files that one peer may ask for at once; a refresh needs six. */
export const RELAY_REQUESTS_PER_PEER_MAX = 8

/** Heads, timestamps and proofs that one peer may push in a minute; a catalog that changes has one or two. */
export const RELAY_PUSHES_PER_MINUTE_MAX = 60

/** A peer that is asked for a catalog file and gives nothing for this long has failed. */
export const RELAY_IDLE_TIMEOUT_MS = 8_000

/** Slower than any uplink that is worth waiting for; together with the idle time it bounds a whole file. */
export const RELAY_BYTES_PER_SECOND_MIN = 16 * 1024

/** How long a peer that gave a wrong catalog is asked last; doubles each time. */
export const RELAY_LOWERED_MS = 30_000
export const RELAY_LOWERED_MS_MAX = 3_600_000
