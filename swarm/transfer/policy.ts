/** The numbers by which a download is scheduled, each with its reason. */

/** Work queued at each source: long enough to hide a slow answer, short enough to take back. (libtorrent's value.) */
export const QUEUE_TARGET_MS = 3_000
export const QUEUE_REQUESTS_MIN = 2
export const QUEUE_REQUESTS_MAX = 64
/** Of a peer that has not yet given a right piece: a liar is found out by its first, and that is all it sends. */
export const TRIAL_REQUESTS = 1

/** The first window in which a rate is measured; short, because a fast download is over in a second. */
export const RATE_WINDOW_FIRST_MS = 100
/** The later ones: longer than the bursts of a rate limit at the other end. */
export const RATE_WINDOW_MS = 500
/** A source that had nothing to do for this long is believed its best rate again: what slowed it down may be over. */
export const RATE_IDLE_MS = 30_000
/** What a source is believed to give until it or another one was measured, in bytes per second. */
export const RATE_GUESS = 1024 * 1024
/** Below this share of the mean rate a source is slow: it works on the pieces that the others come to last. */
export const SLOW_SHARE = 1 / 4

/** Peers of a local network answer within this time; after it, waiting for them costs more than asking the origin. */
export const ORIGIN_DELAY_MS = 150
/**
 * A distant peer that said it holds the blob has this long for its first byte before the origin joins: a round trip
 * around the world and what it takes to read from a disk. Longer would make a download from dead peers more than half a second slower than from the origin alone.
 */
export const ORIGIN_DELAY_HOLDER_MS = 300
/** What peers give is judged after this much of it; the first window of a rate is over by then. */
export const RATE_WARMUP_MS = 120
/** Peers that finish within this time are not helped by an origin that must first be asked. Also the work of its ranges beside peers. */
export const ORIGIN_WORTHWHILE_MS = 1_000
/** An origin that gives less than this share of what the peers give would save less time than it costs its owner. */
export const ORIGIN_SHARE_MIN = 0.05
/** What an origin is believed to give until it was measured, in bytes per second. */
export const ORIGIN_RATE_GUESS = 2 * 1024 * 1024
/** The next origin joins when those before it would need longer than this. */
export const ORIGIN_NEXT_AFTER_MS = 3_000
/** An origin that gave nothing for this long is no reason to leave the next one alone. */
export const ORIGIN_SILENT_MS = 1_000

/** Per origin. This, the bytes of a range and the back-off are what libtorrent uses for web seeds. */
export const ORIGIN_CONNECTIONS_MAX = 3
export const ORIGIN_RANGE_BYTES_MAX = 16 * 1024 * 1024
/** Of the first ranges of an origin that works alone, before its rate is known. */
export const ORIGIN_RANGE_BYTES_FIRST = 4 * 1024 * 1024
/** The same beside peers: enough to learn its rate, little to ask in vain. */
export const ORIGIN_RANGE_BYTES_PROBE = 512 * 1024

/** Peers that fetch the same blob; from this many on they are a crowd, and the origin feeds the crowd, not each of it. */
export const CROWD_PEERS_MIN = 1
/** A node of a crowd asks the origin for its share in so many parts: while it does, others may ask for the same. */
export const CROWD_RANGES_PER_PEER = 8
/** A crowd is left for the origin when it gives less than this share of what the origin gives. */
export const CROWD_SHARE_MIN = 0.5
/** What a fellow gave within this time counts, also while it has nothing new at the moment. */
export const CROWD_MEMORY_MS = 3_000
/** Up to so many need no turns: they seldom ask for the same. */
export const CROWD_SMALL_PEERS = 8
/** From so many peers on that do not have the blob either, a node cannot see how large the crowd is. */
export const CROWD_LARGE_PEERS = 12
/** The size of crowd that the time of waiting is drawn for; a larger one asks the origin more. */
export const CROWD_NODES_MAX = 10_000
/** How long most nodes of a large crowd wait for the first news of it, and how much longer with each peer of it. */
export const CROWD_WAIT_MS = 350
export const CROWD_WAIT_MS_PER_PEER = 300
/** After this time a large crowd is judged by what it gives, as any other. */
export const CROWD_LARGE_MS_MAX = 60_000
/** One piece of an origin, and how long the word of it takes to the next node. */
export const CROWD_TURN_MS = 250
/** How much longer a node of a crowd waits for the others with each of them, before it believes that nothing comes. */
export const CROWD_PATIENCE_MS_PER_PEER = 150

/** A peer that owes bytes and sends none for this long is taken its work away. */
export const STALL_TIMEOUT_MS = 4_000
/** A source that sends nothing for so many mean piece times, and at least this long, is not counted on. */
export const SUSPECT_PIECE_TIMES = 3
export const SUSPECT_MS_MIN = 200
/** Below this many bytes per second, for this long, a peer only pretends to send. */
export const GOODPUT_MIN = 16 * 1024
export const GOODPUT_WINDOW_MS = 10_000
/** A peer that let this many requests run out gets one at a time, until it was without fault for as long as this. */
export const SNUB_TIMEOUT_COUNT = 3
export const SNUB_WINDOW_MS = 60_000

export const BACKOFF_FIRST_MS = 1_000
export const BACKOFF_MAX_MS = 60_000
export const ORIGIN_BACKOFF_MAX_MS = 30_000
/** A source without the blob is asked again after this time; it may have it by then. */
export const ABSENT_RETRY_MS = 30_000
/** A peer that refused this many pieces in a row that it said it has, does not have the blob. */
export const REFUSALS_MAX = 8

/** Bytes that may come twice to finish sooner: this share of the blob, at least one piece. With what is on its way by then, 2 %. */
export const DUPLICATE_SHARE_MAX = 0.015
/** Nothing is late before this time: what comes in is told to the session every 50 ms. */
export const LATE_MS_MIN = 60
/** Someone else must have a piece in less than this share of the time that its source still needs. */
export const TAKE_OVER_GAIN = 0.7
/** Work that nobody began is moved when that saves at least this; four times as much when it is next in line. */
export const MOVE_GAIN_MS_MIN = 100
export const MOVE_NEXT_GAIN = 4
/** What a peer has sent on its way when it hears that a request is taken back: a chunk, or what flows in this time. */
export const LOST_BYTES_MAX = 256 * 1024
export const LOST_MS = 300
/** After a search for late pieces found none, the next one of the same session waits this long. */
export const SEARCH_INTERVAL_MS = 10

/** Chosen at random, so that a crowd that starts together does not ask for the same pieces. */
export const RANDOM_PIECES_FIRST = 4

/** Asked for before the piece layer is known: what must be kept without being able to verify it. */
export const EARLY_BYTES_MAX = 4 * 1024 * 1024

/** How often a download looks at its sources when nothing happens. */
export const TICK_MS = 100
/** The same at its end, where somebody waits for each piece. */
export const TICK_ENDING_MS = 20
/** How often peers are asked again, and new ones are looked for, while pieces have no source. */
export const SEEK_INTERVAL_MS = 5_000
/** How often the log says that a download is stuck. */
export const STUCK_LOG_INTERVAL_MS = 60_000
