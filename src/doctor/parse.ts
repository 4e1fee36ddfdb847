/** Readers of the small text formats of Linux and systemd that the doctor looks at. Pure; what does not fit is left out. */
import type { IdMapping, IdRange } from './facts.ts'

/** `/etc/subuid` and `/etc/subgid`. @see subuid(5) */
export function parseIdRanges(text: string): readonly IdRange[] {
  return text.split('\n').flatMap(line => {
    const match = /^([^:#\s][^:]*):(\d{1,10}):(\d{1,10})\s*$/.exec(line)
    if (match === null) return []
    const [, owner = '', start, count] = match
    return [{ owner, start: Number(start), count: Number(count) }]
  })
}

/** `/proc/PID/uid_map`. @see user_namespaces(7) */
export function parseIdMap(text: string): readonly IdMapping[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line)
    if (match === null) return []
    return [{ inside: Number(match[1]), outside: Number(match[2]), count: Number(match[3]) }]
  })
}

export interface Mount {
  readonly mountPoint: string
  readonly fileSystem: string
  readonly options: readonly string[]
}

/** `/proc/self/mountinfo`: octal escapes in paths, optional fields up to a dash. @see proc_pid_mountinfo(5) */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap(line => {
    const [left = '', right = ''] = line.split(' - ')
    const fields = left.split(' ')
    const [fileSystem, , superOptions = ''] = right.split(' ')
    const mountPoint = fields[4]
    if (mountPoint === undefined || fileSystem === undefined || fileSystem === '') return []
    const own = (fields[5] ?? '').split(',')
    // Either the mount or the whole file system may be read-only.
    const options = superOptions.split(',').includes('ro') ? [...own, 'ro'] : own
    return [{ mountPoint: unescapeOctal(mountPoint), fileSystem, options }]
  })
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

/** The mount that holds `path`; later mounts hide earlier ones. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined
  for (const mount of mounts) {
    const { mountPoint } = mount
    const isAbove = mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`)
    if (isAbove && mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount
  }
  return best
}

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  month: 2_629_800_000,
  y: 31_557_600_000,
}

/** `1min 30s`, as `systemctl show` prints it. `infinity` is `Infinity`; `undefined` for other text. */
export function parseTimeSpan(text: string): number | undefined {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  let totalMs = 0
  const words = text.split(' ').filter(word => word !== '')
  for (const word of words) {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(word) ?? []
    const unitMs = UNIT_MS[unit]
    if (digits === undefined || unitMs === undefined) return undefined
    totalMs += Number(digits) * unitMs
  }
  return words.length === 0 ? undefined : totalMs
}

export interface ListeningSocket {
  readonly port: number
  readonly uid: number
  readonly inode: number
}

/** TCP sockets that listen are in state 0A; UDP sockets that receive are in 07. */
const LISTENING = { tcp: '0A', udp: '07' } as const

/** `/proc/net/tcp`, `tcp6`, `udp` or `udp6`. @see proc_net(5) */
export function parseSockets(text: string, protocol: 'tcp' | 'udp'): readonly ListeningSocket[] {
  return text.split('\n').flatMap(line => {
    const fields = line.trim().split(/\s+/)
    const port = /:([0-9A-F]{4})$/.exec(fields[1] ?? '')?.[1]
    if (port === undefined || fields[3] !== LISTENING[protocol]) return []
    return [{ port: Number.parseInt(port, 16), uid: Number(fields[7]), inode: Number(fields[9]) }]
  })
}

/** Blocks of `Key=value`. */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap(line => {
      const at = line.indexOf('=')
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
    }),
  )
}
