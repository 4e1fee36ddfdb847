/** Bounds of the swarm that users must not change, each with its reason. Settings with a choice are in `options.ts`. */

/** One DATA message. Larger sends make js-libp2p queue without limit and overflow the receiver. */
export const DATA_BYTES_MAX = 64 * 1024

/** What this node sends in one: with its head and that of yamux, exactly one message of noise instead of one and a bit. */
export const STREAM_DATA_BYTES = 65_519 - 12 - 13

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
export const SERVE_CHUNK_BYTES = 4 * STREAM_DATA_BYTES

/** Buffers of that size that wait for their next use: as many as two peers fill. */
export const SERVE_BUFFERS_KEPT = 8

/** Queued to one peer and not yet taken by its connection: what a peer that stops reading can hold here. */
export const SERVE_BYTES_PER_PEER_MAX = 1024 * 1024

/** The same, over all peers: two chunks for every upload slot, so that slow peers in all of them leave room for others. */
export const SERVE_BYTES_TOTAL_MAX = 32 * 1024 * 1024

/** The first chunk for a peer, and the smallest: 300 peers that take nothing hold 5 MB. */
export const PACE_BYTES_MIN = 8 * 1024

/** Peers that wait for an upload slot and have a place in the line; more are only told to come again. */
export const SLOT_WAITERS_MAX = 256

/** A peer that takes less than this over the window, while bytes wait for it, is cut off: slower than any link worth serving. */
export const GOODPUT_BYTES_PER_SECOND_MIN = 16 * 1024
export const GOODPUT_WINDOW_MS = 10_000

/** Peers of which is remembered what they did wrong, also when they left. */
export const CONDUCT_PEERS_MAX = 1024

/**
 * What the messages of one peer may cost, in requests: twice what a transfer of 1 GB/s in the smallest pieces needs. Whoever
 * sends more is not read for a while, and cut off when it goes on.
 */
export const MESSAGE_COST_PER_SECOND = 8_000

/** A peer that sends nothing at all for this long, while a piece that it said it has is due, is not worth waiting for. */
export const UNANSWERED_MS = 10_000

/** Blobs of which is remembered how much was given; the longest unasked is forgotten. */
export const GIVEN_BLOBS_MAX = 4096

/** Peers that are told apart when those that got a blob are counted. */
export const GIVEN_PEERS_MAX = 256

/** A peer that takes nothing for this long while bytes are waiting for it is disconnected. */
export const SERVE_STALL_TIMEOUT_MS = 30_000

/** Control messages waiting for a peer that does not read them; more means it never will. */
export const OUTBOX_BYTES_MAX = 2 * 1024 * 1024

/** Cancelled requests of one peer that it has not yet answered; more than it can have open, in case it never does. */
export const CANCELLED_MAX = 1_024

/**
 * Bytes asked for and not yet written, over all downloads: what downloading costs in memory. Eight of the largest pieces, and
 * a quarter of a second of a link of 1 Gbit/s; a node stays below 200 MB with it.
 */
export const IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024

/** Read from the store and sent over a bulk channel at a time; twice as much is no faster, and slow peers take this much at once. */
export const BULK_CHUNK_BYTES = 512 * 1024

/** One DATA message of a bulk channel, of any peer. It is put where it belongs while it comes in, so it costs no memory. */
export const BULK_DATA_BYTES_MAX = 1024 * 1024

/** How long a token lets its peer in. It is told again before, so this bounds what one that leaked is worth. */
export const BULK_TOKEN_LIFETIME_MS = 3_600_000
export const BULK_RENEW_MS = 2_400_000

/** Valid tokens at once: two for each of the most peers that can be configured. */
export const BULK_TOKENS_MAX = 8_192

/** Connections that have not yet shown a token, of all hosts and of one; an honest one needs milliseconds for it. */
export const BULK_PENDING_MAX = 64
export const BULK_PENDING_PER_HOST_MAX = 16
export const BULK_PENDING_TIMEOUT_MS = 5_000

/** Handshakes of all hosts and of one: each costs a millisecond of a core, so a flood never takes more than a twentieth. */
export const BULK_ACCEPTS_PER_SECOND = 50
export const BULK_ACCEPTS_PER_HOST_SECOND = 10

/** Hosts of which is remembered how often they came; the longest unseen is forgotten. */
export const BULK_HOSTS_MAX = 1_024

/** Until a bulk channel is open, requests go over the libp2p stream: waiting costs nothing but this much of a socket. */
export const BULK_DIAL_TIMEOUT_MS = 5_000

/** What is asked for over the stream meanwhile: at 100 ms to the peer still 10 MB/s; the rest waits for the bulk channel. */
export const STREAM_BYTES_WHILE_DIALLING = 1024 * 1024

/** A bulk channel that could not be opened, or did not live, is tried again after this; doubles each time. */
export const BULK_BACKOFF_FIRST_MS = 2_000
export const BULK_BACKOFF_MAX_MS = 600_000
/** One that lived for this long was no failure. */
export const BULK_LIVED_MS = 30_000

/** Nothing moved for this long: closed, and opened again when there is something to ask. */
export const BULK_IDLE_TIMEOUT_MS = 120_000

/** When a request is cancelled the peer answers at once; when nothing comes for this long the connection is dead. */
export const BULK_SILENCE_MS = 5_000

/** Progress of a request is told when this much came in, or after this time: each is an event of the schedule. */
export const PROGRESS_BYTES = 256 * 1024
export const PROGRESS_INTERVAL_MS = 50

/** A peer that opened a stream must say HELLO within this time. */
export const HELLO_TIMEOUT_MS = 5_000

/** Bytes of a state file of the swarm. */
export const STATE_FILE_BYTES_MAX = 1024 * 1024

/** One message with a part of a catalog file; fits a frame. */
export const RELAY_CHUNK_BYTES = 64 * 1024

/** The largest catalog file, a snapshot. */
export const RELAY_FILE_BYTES_MAX = 8_000_000

/** The largest files of the other kinds; they equal what the verifier accepts. */
export const RELAY_ROOT_BYTES_MAX = 512_000
export const RELAY_TIMESTAMP_BYTES_MAX = 16_384
export const RELAY_ROLE_BYTES_MAX = 4_000_000

/** `<version>.<role>.json` with a long role name, every character of it escaped. */
export const RELAY_NAME_BYTES_MAX = 512

/** Catalog files that one peer may ask for at once; a refresh needs six. */
export const RELAY_REQUESTS_PER_PEER_MAX = 8

/**
 * Heads, timestamps and proofs that one peer may push: 60 at once, then one a second. A catalog that changes has two; a
 * peer whose connection comes and goes says its head each time.
 */
export const RELAY_PUSH_BURST = 60
export const RELAY_PUSHES_PER_SECOND = 1

/** What this node says to one peer beside its head: every proof that it keeps, and far below what the peer accepts, so that nothing can provoke a flood. */
export const RELAY_SAY_BURST = 40
export const RELAY_SAYS_PER_SECOND = 0.5

/**
 * Catalog files that one peer is given: 2,000 at once, so that a first refresh of a catalog with as many publishers is not
 * slowed down; then 200 a second, which is 10,000 publishers, the most a catalog can have, in under a minute.
 */
export const RELAY_GET_BURST = 2_000
export const RELAY_GETS_PER_SECOND = 200

/** Parts of catalog files queued to one peer and not yet taken by its connection: four chunks hide the latency. */
export const RELAY_SERVE_BYTES_PER_PEER_MAX = 4 * (RELAY_CHUNK_BYTES + 1024)

/** The same, over all peers. */
export const RELAY_SERVE_BYTES_TOTAL_MAX = 8 * 1024 * 1024

/** Peers of which is remembered what they cost, also when they left; the longest unseen is forgotten. */
export const RELAY_NEIGHBOURS_MAX = 1024

/** Timestamps and proofs that one peer is known to have; the oldest is forgotten. */
export const RELAY_TOLD_COUNT_MAX = 256

/** A peer that is asked for a catalog file and gives nothing for this long has failed. */
export const RELAY_IDLE_TIMEOUT_MS = 8_000

/** Slower than any uplink that is worth waiting for; together with the idle time it bounds a whole file. */
export const RELAY_BYTES_PER_SECOND_MIN = 16 * 1024

/** How long a peer that gave a wrong catalog is asked last: three refreshes; doubles each time, up to a day. */
export const RELAY_LOWERED_MS = 1_800_000
export const RELAY_LOWERED_MS_MAX = 86_400_000

/** Blobs here whose piece layers a new one is compared with: those that are said to be similar, then the ones used last. */
export const REUSE_BLOBS_MAX = 256

/** Piece layers that are read for it: the layers of 1 TiB of large blobs, or of 128 GiB of small ones. */
export const REUSE_LAYER_BYTES_MAX = 16 * 1024 * 1024

/** Blobs in which bytes are looked for that may have moved. */
export const REUSE_SIMILAR_MAX = 4

/** Fetches that can still be explained after their end, also over restarts: a release of a large app, and some before it. */
export const EXPLAINED_FETCHES_MAX = 64

/** The file of them; what no longer fits is forgotten, the oldest first. */
export const EXPLAINED_BYTES_MAX = 512 * 1024

/** Of one fetch: as many sources as a person would look at, and more than most fetches have. */
export const EXPLAINED_SOURCES_MAX = 64

/** Ranges of pieces of one source. Sources take turns, so a large blob has many. */
export const EXPLAINED_RANGES_MAX = 64

/** Decisions and mishaps: half of them from the beginning, half from the end. */
export const EXPLAINED_MOMENTS_MAX = 40

/** Times without a piece. */
export const EXPLAINED_GAPS_MAX = 5

/** Blobs that are fetched at once; more wait, the small ones first. Enough to hide how long it takes to begin one. */
export const FETCHES_AT_ONCE_MAX = 6
/** Of one trace file: some hours of a busy node. */
export const TRACE_BYTES_MAX = 64 * 1024 * 1024

/** Lines that wait for the disk; above it they are left out. */
export const TRACE_QUEUE_BYTES_MAX = 4 * 1024 * 1024
