/** Bounds on what a publisher's tool reads. They keep a broken or hostile archive from filling memory or disk. */

/** The largest layer we saw has 6 GiB (a machine-learning image). */
export const LAYER_BYTES_MAX = 64 * 2 ** 30
/** Index, manifest and config of an image: text that is read into memory. */
export const OCI_DOCUMENT_BYTES_MAX = 4 * 2 ** 20
/** An index lists images, or indexes that list images; no tool nests deeper. */
export const OCI_INDEX_DEPTH_MAX = 2
/** Files and folders in an archive: 128 layers, a config and a manifest for each of some platforms, with room. */
export const ARCHIVE_ENTRY_COUNT_MAX = 4096
/** Ten years of daily releases of some apps. */
export const DRAFT_BYTES_MAX = 64 * 2 ** 20
