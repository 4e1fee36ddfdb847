/** The names that catalog files can have, and how large a file of each name can be. Pure. */
import {
  RELAY_FILE_BYTES_MAX,
  RELAY_NAME_BYTES_MAX,
  RELAY_ROLE_BYTES_MAX,
  RELAY_ROOT_BYTES_MAX,
  RELAY_TIMESTAMP_BYTES_MAX,
} from '../limits.ts'

const VERSIONED = /^[1-9]\d{0,15}\.((?:[A-Za-z0-9_.!~*'()-]|%[0-9A-F]{2})+)\.json$/

/** The bound on the bytes of the file; `undefined` when no catalog file has this name. */
export function fileBytesMax(name: string): number | undefined {
  if (name === 'timestamp.json') return RELAY_TIMESTAMP_BYTES_MAX
  if (name.length > RELAY_NAME_BYTES_MAX) return undefined
  const role = VERSIONED.exec(name)?.[1]
  if (role === undefined) return undefined
  if (role === 'root') return RELAY_ROOT_BYTES_MAX
  if (role === 'timestamp') return RELAY_TIMESTAMP_BYTES_MAX
  return role === 'snapshot' ? RELAY_FILE_BYTES_MAX : RELAY_ROLE_BYTES_MAX
}
