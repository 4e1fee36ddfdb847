/** The apps of a trusted set: reads offers out of signed targets, and finds one by what a person typed. Pure. */
import { suggestion } from '../src/core/schema.ts'
import { FIRST_PARTY, readAppTarget, type TargetOffer } from './app-target.ts'
import type { AppOffer } from './entry.ts'
import { CatalogError } from './errors.ts'
import type { TargetsModel } from './trust/model.ts'

/** The targets of one role, who stands behind it, and which paths it may speak for (the top-level role: every path). */
export interface Shelf extends Pick<AppOffer, 'role' | 'tier' | 'did' | 'expiresMs' | 'standing'> {
  readonly targets: TargetsModel
  speaksFor(path: string): boolean
}

export interface AppList {
  readonly offers: readonly AppOffer[]
  /** Signed entries that this program cannot use: path and reason. */
  readonly refused: ReadonlyMap<string, string>
}

export const noApps: AppList = { offers: [], refused: new Map() }

/** The first shelf that has a path decides over it: the order is the order of delegation. */
export function listApps(shelves: readonly Shelf[]): AppList {
  const offers = new Map<string, AppOffer>()
  const refused = new Map<string, string>()
  for (const shelf of shelves) {
    const { targets, speaksFor } = shelf
    for (const [path, target] of targets.targets) {
      if (offers.has(path) || refused.has(path) || !speaksFor(path)) continue
      const read = readAppTarget(path, target)
      if (read.kind === 'offer') offers.set(path, offerOf(read.offer, shelf))
      if (read.kind === 'refused') refused.set(path, read.why)
    }
  }
  return { offers: [...offers.values()], refused }
}

/** Field by field: a spread of two objects takes longer than reading the entry. */
function offerOf(said: TargetOffer, stand: Shelf): AppOffer {
  const { publisher, app, channel, head, next, older, floor, yanked, rollbackTo } = said
  const { role, tier, did, expiresMs, standing } = stand
  const stands = { role, tier, did, expiresMs, standing }
  return { ...stands, publisher, app, channel, head, next, older, floor, yanked, rollbackTo }
}

/**
 * `app` is a bare id, which means the origin's own app, or `<publisher>.<id>`.
 * @throws CatalogError `APP_UNKNOWN`
 */
export function findApp({ offers, refused }: AppList, app: string, channel: string): AppOffer {
  const dot = app.indexOf('.')
  const publisher = dot === -1 ? FIRST_PARTY : app.slice(0, dot)
  const id = app.slice(dot + 1)
  const found = offers.find(
    offer => offer.publisher === publisher && offer.app === id && offer.channel === channel,
  )
  if (found !== undefined) return found
  const why = refused.get(`apps/${publisher}.${id}/${channel}`)
  throw new CatalogError('APP_UNKNOWN', explain(offers, app, publisher, id, channel, why))
}

function explain(
  offers: readonly AppOffer[],
  app: string,
  publisher: string,
  id: string,
  channel: string,
  why: string | undefined,
): string {
  const shown = JSON.stringify(app.slice(0, 80))
  if (why !== undefined) return `app ${shown} in channel "${channel}" cannot be used: ${why}`
  const same = offers.filter(offer => offer.publisher === publisher && offer.app === id)
  if (same.length > 0) {
    const channels = same.map(offer => offer.channel)
    const known = channels.map(name => JSON.stringify(name)).join(', ')
    return `app ${shown} has no channel "${channel}", only ${known}${suggestion(channel, channels)}`
  }
  const names = offers.map(offer =>
    offer.publisher === FIRST_PARTY ? offer.app : `${offer.publisher}.${offer.app}`,
  )
  return `the catalog has no app ${shown}${suggestion(app, [...new Set(names)])}`
}
