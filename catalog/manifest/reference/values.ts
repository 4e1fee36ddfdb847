/** The small value forms of the reference platform's manifests, and what they are here. Pure. */

/** The first subordinate id of a rootless user: what a container calls 1 is this number on the machine. */
const SUBORDINATE_FIRST = 100_000
const SUBORDINATE_COUNT = 65_536

/**
 * `100998:100998` on the machine is `{ uid: 999, gid: 999 }` in the container: 100000 + N - 1. A number below belongs to the
 * user that runs the containers, who is root in them.
 */
export function containerOwner(text: string): { uid: number; gid: number } | undefined {
  const [, uid, gid = uid] = /^(\d+)(?::(\d+))?$/.exec(text) ?? []
  if (uid === undefined || gid === undefined) return undefined
  const [inside, group] = [containerId(Number(uid)), containerId(Number(gid))]
  return inside === undefined || group === undefined ? undefined : { uid: inside, gid: group }
}

function containerId(id: number): number | undefined {
  if (id < SUBORDINATE_FIRST) return 0
  const inside = id - SUBORDINATE_FIRST + 1
  return inside < SUBORDINATE_COUNT ? inside : undefined
}

const SIZE_UNITS: Readonly<Record<string, string>> = { k: 'KiB', m: 'MiB', g: 'GiB', t: 'TiB' }

/** `512Mi`, `2Gi`, `1g`, `512m`, or a number of MiB. */
export function sizeText(value: unknown): string | undefined {
  const [, count, unit = 'm'] = /^(\d{1,9})([kmgt])?(?:i?b?)$/i.exec(String(value)) ?? []
  return count === undefined ? undefined : `${Number(count)}${SIZE_UNITS[unit.toLowerCase()]}`
}

/** `30`, `30s`, `5m`, `1m30s`. */
export function durationText(value: unknown): string | undefined {
  const text = typeof value === 'number' ? `${value}s` : String(value)
  const match = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text)
  if (match === null || text === '') return undefined
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = match
    .slice(1)
    .map(part => Number(part ?? 0))
  if (ms > 0) return `${((hours * 60 + minutes) * 60 + seconds) * 1000 + ms}ms`
  if (seconds > 0) return `${(hours * 60 + minutes) * 60 + seconds}s`
  return minutes > 0 ? `${hours * 60 + minutes}m` : `${hours}h`
}

/** A DNS label made of any text: `immich_postgres` becomes `immich-postgres`. */
export function labelOf(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 32)
    .replace(/-+$/, '')
  return plain === '' ? 'main' : plain
}

/** The port of `http://localhost:8080/x`, `127.0.0.1:7777` or `8080`. */
export function portIn(value: unknown): number | undefined {
  const text = String(value)
  const [, port] = /^(\d+)$/.exec(text) ?? /:(\d{1,5})(?:\/|$)/.exec(text) ?? []
  return port === undefined ? undefined : Number(port)
}

export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The list, one value as a list of one, or nothing. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

/** The first of these keys that holds text or a number. */
export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  if (!isMapping(value)) return undefined
  const found = keys.map(key => value[key]).find(each => ['string', 'number'].includes(typeof each))
  return found === undefined ? undefined : String(found)
}
