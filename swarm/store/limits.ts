/** Bounds of the blob store that users do not set, each with its reason. */

/**
 * Bytes that are stored but not yet safe from a power cut, at most: what a node fetches again after one is this plus the
 * pieces that were in flight. A second of a fast network, like the interval below; with a quarter of it the syncs cost a
 * third of the speed of a disk.
 */
export const SYNC_BYTES_MAX = 64 * 1024 * 1024

/** A slow download becomes safe this long after a piece was stored; one sync a second does not wear a disk. */
export const SYNC_INTERVAL_MS = 1_000

/** The meta area is for counters and marks, not for documents. */
export const META_VALUE_BYTES_MAX = 64 * 1024

/** Data files that are kept open for reading; far below the usual limit of 1024 files for a process. */
export const READ_HANDLE_COUNT_MAX = 64

/** Blobs that are deleted before others get a turn: some milliseconds each on a slow disk. */
export const COLLECT_BATCH_COUNT = 16

/**
 * One write of a thread. Of longer ones the kernel makes pages of memory that was not used lately; where the host of a virtual
 * machine lends memory only when it is touched, 1 GiB then takes up to 1.7 s of processor time instead of 0.3.
 */
export const WRITE_BYTES_MAX = 128 * 1024
