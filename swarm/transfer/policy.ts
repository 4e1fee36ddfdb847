/** The numbers by which a download is scheduled, each with its reason. */

/** Work queued at each source: long enough to hide a slow answer, short enough to take back. (libtorrent's value.) */
export const QUEUE_TARGET_MS = 3_000
export const QUEUE_REQUESTS_MIN = 2

/** Peers of a local network answer within this time; after it, waiting for them costs more than asking the origin. */
export const ORIGIN_DELAY_MS = 150
/** A peer that said it holds the blob has this long for its first byte before the origin joins. */
export const ORIGIN_DELAY_HOLDER_MS = 800
/** Rates are not judged before this time. */
export const RATE_WARMUP_MS = 1_000
/** Peers that finish within this time are not helped by an origin that must first be asked. */
export const ORIGIN_WORTHWHILE_MS = 1_000
/** What an origin is believed to give until it was measured, in bytes per second. */
export const ORIGIN_RATE_GUESS = 2 * 1024 * 1024

export const ORIGIN_CONNECTIONS_MAX = 3
export const ORIGIN_RANGE_BYTES_MAX = 16 * 1024 * 1024
/** Of the first range, before the origin's rate is known. */
export const ORIGIN_RANGE_BYTES_FIRST = 4 * 1024 * 1024

/** A peer that owes bytes and sends none for this long is taken its work away. */
export const STALL_TIMEOUT_MS = 4_000
/** Below this many bytes per second, for this long, a peer only pretends to send. */
export const GOODPUT_MIN = 16 * 1024
export const GOODPUT_WINDOW_MS = 10_000

export const BACKOFF_FIRST_MS = 1_000
export const BACKOFF_MAX_MS = 60_000
/** A source without the blob is asked again after this time; it may have it by then. */
export const ABSENT_RETRY_MS = 30_000

/** Bytes that may be fetched twice to finish sooner: this share of the blob, at least one piece. */
export const DUPLICATE_SHARE_MAX = 0.02
/** No piece is asked for twice before this time, however fast the others were. */
export const DUPLICATE_AGE_MIN_MS = 500

/** Chosen at random, so that a crowd that starts together does not ask for the same pieces. */
export const RANDOM_PIECES_FIRST = 4

/** Work is taken from a slow source for an idle one only when that saves at least this much time. */
export const STEAL_GAIN_MIN_MS = 500
/** What a source is believed to give until it was measured, in bytes per second. */
export const RATE_GUESS = 1024 * 1024

/** How often a download looks at its sources when nothing happens. */
export const TICK_MS = 100
/** How often peers are asked again, and new ones are looked for, while pieces have no source. */
export const SEEK_INTERVAL_MS = 5_000
/** How often the log says that a download is stuck. */
export const STUCK_LOG_INTERVAL_MS = 60_000
