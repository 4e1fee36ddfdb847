/** Bounds on metadata from outside, each with its reason. None of them can be set by a user. */

/** Room for 64 keys with long labels; the root is the one file that is fetched without a signed length. */
export const ROOT_BYTES_MAX = 512_000
/** Ours has 700 bytes; fetched without a signed length on every refresh. */
export const TIMESTAMP_BYTES_MAX = 16_384
/** 50,000 publishers at 160 bytes each. */
export const SNAPSHOT_BYTES_MAX = 8_000_000
/** 10,000 apps of one publisher at 400 bytes each. */
export const TARGETS_BYTES_MAX = 4_000_000
/** More than any ceremony has (`SIGNATURE_LIMIT`); bounds the signature checks that unauthenticated bytes can cause. */
export const SIGNATURE_COUNT_MAX = 64
/** Characters of a role's name; the floors file has room for as many. */
export const ROLE_NAME_CHARS_MAX = 128
/** The same name as a part of a file name of at most 255 bytes, beside a version, `.json` and the ending of a temporary file. */
export const ROLE_FILE_CHARS_MAX = 200
/** Keys of one role: as many as can sign. */
export const ROLE_KEY_COUNT_MAX = 64
/** Root rotations followed in one refresh; the next refresh goes on from there. */
export const ROOT_STEPS_MAX = 1024
/** Delegated roles that one lookup may open. */
export const DELEGATION_COUNT_MAX = 32
/** Delegations below each other that one lookup may follow. */
export const DELEGATION_DEPTH_MAX = 64
/** How far one new version may jump: a stolen key cannot use up the number space at once. */
export const VERSION_STEP_MAX = 10_000
/** Delegated roles of one catalog: one file each, all of them loaded by every node. */
export const DELEGATED_ROLE_COUNT_MAX = 10_000
/** Role files fetched at once: hides the latency of a peer, does not flood it. */
export const ROLE_FETCH_COUNT = 6
/** Validity of a timestamp where the root does not say: twice the week that origins sign for. */
export const TIMESTAMP_DAYS_MAX = 14
