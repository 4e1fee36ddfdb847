/** A catalog with the feeds that the owner follows behind it: whatever the origin says of a publisher counts alone. */
import type { Catalog } from '../catalog.ts'
import { findApp, listApps, type Shelf } from '../entries.ts'
import type { AppOffer } from '../entry.ts'
import { CatalogError } from '../errors.ts'
import { offerAt } from '../shelves.ts'
import { roleOfPublisher } from '../trust/did-key.ts'
import type { Feeds } from './feeds.ts'

/** The same catalog; only what it offers, how it is refreshed and what it notices have the feeds in them. */
export function withFeeds(catalog: Catalog, feeds: Feeds): Catalog {
  const usable = (): {
    readonly shelves: readonly Shelf[]
    readonly notices: readonly string[]
  } => {
    const { versions, revokedDids } = catalog.publishers()
    const shelves: Shelf[] = []
    const notices: string[] = []
    for (const shelf of feeds.shelves()) {
      const { did = '' } = shelf
      const listed = versions.get(roleOfPublisher(did))
      if (listed === undefined) {
        shelves.push(revokedDids.has(did) ? { ...shelf, standing: 'revoked' } : shelf)
      } else {
        notices.push(noticeOf(did, listed, shelf.targets.version))
      }
    }
    return { shelves, notices }
  }
  const offersOf = (): readonly AppOffer[] => {
    const { nowMs } = catalog.status()
    return listApps(usable().shelves).offers.map(offer => offerAt(offer, nowMs))
  }
  return {
    ...methodsOf(catalog),
    async refresh(signal) {
      try {
        return await catalog.refresh(signal)
      } finally {
        // After it: what the origin signed corrects the clock. And whatever became of it.
        await feeds.refresh(signal)
      }
    },
    // Derived ids: a feed has no path that another role could have. The order would decide, and the catalog is first.
    offers: () => [...catalog.offers(), ...offersOf()],
    find(app, channel) {
      try {
        return catalog.find(app, channel)
      } catch (error) {
        if (!(error instanceof CatalogError) || error.code !== 'APP_UNKNOWN') throw error
        const offers = offersOf()
        const isKnown = offers.some(({ publisher, app: id }) => `${publisher}.${id}` === app)
        if (!isKnown) throw error
        return findApp({ offers, refused: new Map() }, app, channel)
      }
    },
    status() {
      const status = catalog.status()
      const notices = [...status.notices, ...usable().notices, ...feeds.problems()]
      const { versions } = catalog.publishers()
      const unknownFeeds = feeds.unknown().filter(did => !versions.has(roleOfPublisher(did)))
      return { ...status, notices, unknownFeeds }
    },
  }
}

function noticeOf(did: string, listed: number, own: number): string {
  if (listed > 0 && listed < own)
    return `the origin lists an older file of ${did} (${listed}) than its feed had (${own})`
  return `the origin lists ${did} itself now; its feed is not needed any more`
}

/** An object of its own: the methods of a class do not come along when it is spread. */
function methodsOf(catalog: Catalog): Catalog {
  return {
    refresh: signal => catalog.refresh(signal),
    refreshFrom: (source, signal) => catalog.refreshFrom(source, signal),
    offers: () => catalog.offers(),
    publishers: () => catalog.publishers(),
    find: (app, channel) => catalog.find(app, channel),
    status: () => catalog.status(),
    head: () => catalog.head(),
    file: name => catalog.file(name),
    fileByDigest: digest => catalog.fileByDigest(digest),
    noteClaim: (source, claim) => catalog.noteClaim(source, claim),
    noteHead: bytes => catalog.noteHead(bytes),
    noteProof: (a, b) => catalog.noteProof(a, b),
    forks: () => catalog.forks(),
    acceptStale: (version, content) => catalog.acceptStale(version, content),
  }
}
