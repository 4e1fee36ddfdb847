/** The apps of a trusted set: reads them out of signed targets, and finds one by what a person typed. Pure. */
import { suggestion } from '../src/core/schema.ts'
import { FIRST_PARTY, readAppTarget } from './app-target.ts'
import type { CatalogEntry } from './entry.ts'
import { CatalogError } from './errors.ts'
import type { TargetsModel } from './trust/model.ts'

/** The targets of one role, and which paths it may speak for (the top-level role: every path). */
export interface Shelf {
  readonly targets: TargetsModel
  speaksFor(path: string): boolean
}

export interface AppList {
  readonly entries: readonly CatalogEntry[]
  /** Signed entries that this program cannot use: path and reason. */
  readonly refused: ReadonlyMap<string, string>
}

export const noApps: AppList = { entries: [], refused: new Map() }

/** The first shelf that has a path decides over it: the order is the order of delegation. */
export function listApps(shelves: readonly Shelf[]): AppList {
  const entries = new Map<string, CatalogEntry>()
  const refused = new Map<string, string>()
  for (const { targets, speaksFor } of shelves) {
    for (const [path, target] of targets.targets) {
      if (entries.has(path) || refused.has(path) || !speaksFor(path)) continue
      const read = readAppTarget(path, target)
      if (read.kind === 'entry') entries.set(path, read.entry)
      if (read.kind === 'refused') refused.set(path, read.why)
    }
  }
  return { entries: [...entries.values()], refused }
}

/**
 * `app` is a bare id, which means the origin's own app, or `<publisher>.<id>`.
 * @throws CatalogError `APP_UNKNOWN`
 */
export function findApp({ entries, refused }: AppList, app: string, channel: string): CatalogEntry {
  const dot = app.indexOf('.')
  const publisher = dot === -1 ? FIRST_PARTY : app.slice(0, dot)
  const id = app.slice(dot + 1)
  const found = entries.find(
    entry => entry.publisher === publisher && entry.app === id && entry.channel === channel,
  )
  if (found !== undefined) return found
  const why = refused.get(`apps/${publisher}.${id}/${channel}`)
  throw new CatalogError('APP_UNKNOWN', explain(entries, app, publisher, id, channel, why))
}

function explain(
  entries: readonly CatalogEntry[],
  app: string,
  publisher: string,
  id: string,
  channel: string,
  why: string | undefined,
): string {
  const shown = JSON.stringify(app.slice(0, 80))
  if (why !== undefined) return `app ${shown} in channel "${channel}" cannot be used: ${why}`
  const same = entries.filter(entry => entry.publisher === publisher && entry.app === id)
  if (same.length > 0) {
    const channels = same.map(entry => entry.channel)
    const known = channels.map(name => JSON.stringify(name)).join(', ')
    return `app ${shown} has no channel "${channel}", only ${known}${suggestion(channel, channels)}`
  }
  const names = entries.map(entry =>
    entry.publisher === FIRST_PARTY ? entry.app : `${entry.publisher}.${entry.app}`,
  )
  return `the catalog has no app ${shown}${suggestion(app, [...new Set(names)])}`
}
