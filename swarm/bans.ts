/** Peers that sent wrong bytes: not talked to for a day, twice as long each time it happens again. Kept across restarts. */
import { join } from 'node:path'
import type { Clock } from '../src/core/clock.ts'
import type { Log } from '../src/core/log.ts'
import { entriesOf, openStateFile } from './state-file.ts'

export interface Ban {
  readonly peerId: string
  /** Milliseconds since the Unix epoch. */
  readonly untilMs: number
}

export interface Bans {
  isBanned(peerId: string): boolean
  add(peerId: string): Ban
  /** Not talked to for a while either, but nothing that a list or a restart remembers. */
  shun(peerId: string, forMs: number): void
  list(): readonly Ban[]
  flush(): Promise<void>
}

const BAN_FIRST_MS = 24 * 60 * 60 * 1000
const BAN_MAX_MS = 32 * BAN_FIRST_MS
/** The oldest are forgotten: peer ids cost an attacker nothing. */
const BANS_MAX = 4096

interface Entry {
  readonly untilMs: number
  readonly count: number
}

export async function openBans(deps: { clock: Clock; log: Log }, folder: string): Promise<Bans> {
  const file = await openStateFile(deps.log, join(folder, 'bans.json'), parseBans)
  const entries = file.initial
  const shunned = new Map<string, number>()
  const isActive = (entry: Entry | undefined): boolean =>
    entry !== undefined && entry.untilMs > deps.clock.nowMs()
  return {
    isBanned: peerId =>
      isActive(entries.get(peerId)) || (shunned.get(peerId) ?? 0) > deps.clock.monotonicMs(),
    shun(peerId, forMs) {
      shunned.delete(peerId)
      shunned.set(peerId, deps.clock.monotonicMs() + forMs)
      const [oldest] = shunned.keys()
      if (shunned.size > BANS_MAX && oldest !== undefined) shunned.delete(oldest)
    },
    add(peerId) {
      const count = (entries.get(peerId)?.count ?? 0) + 1
      const durationMs = Math.min(BAN_FIRST_MS * 2 ** (count - 1), BAN_MAX_MS)
      const untilMs = deps.clock.nowMs() + durationMs
      entries.delete(peerId)
      entries.set(peerId, { untilMs, count })
      const oldest = entries.keys().next().value
      if (entries.size > BANS_MAX && oldest !== undefined) entries.delete(oldest)
      file.save(entries)
      return { peerId, untilMs }
    },
    list: () =>
      [...entries]
        .filter(([, entry]) => isActive(entry))
        .map(([peerId, { untilMs }]) => ({ peerId, untilMs })),
    flush: () => file.flush(),
  }
}

class BanTable extends Map<string, Entry> {
  toJSON(): unknown {
    return Object.fromEntries(this)
  }
}

function parseBans(content: unknown): BanTable {
  const table = new BanTable()
  for (const [peerId, entry] of entriesOf(content).slice(-BANS_MAX)) {
    const fields = new Map(entriesOf(entry))
    const untilMs = fields.get('untilMs')
    const count = fields.get('count')
    if (typeof untilMs === 'number' && typeof count === 'number')
      table.set(peerId, { untilMs, count })
  }
  return table
}
