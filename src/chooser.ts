/** Asks the one decision on an app's release, with everything that this node knows. */
import {
  type Catalog,
  type CatalogEntry,
  FIRST_PARTY,
  type Resolution,
  resolveApp,
} from '../catalog/index.ts'
import type { AppStatus } from '../orchestrator/index.ts'
import { codeOf, messageOf } from './core/errors.ts'
import { nameOf, type WantedApp } from './wanted.ts'

export interface Chooser {
  choose(app: WantedApp, installed: AppStatus | undefined): Resolution
}

interface Deps {
  readonly catalog: Pick<Catalog, 'find' | 'offers' | 'status'>
  /** Private to this node. */
  readonly seed: Uint8Array
  /** The manifest that the owner keeps on this machine for an app. */
  local(id: string): CatalogEntry | undefined
}

export function createChooser({ catalog, seed, local }: Deps): Chooser {
  return {
    choose(app, status) {
      const { allows, nowMs } = catalog.status()
      const name = nameOf(app)
      const siblings = catalog
        .offers()
        .filter(offer => offer.publisher === app.publisher && offer.app === app.id)
      return resolveApp({
        name,
        wish: app,
        offer: offerOf(catalog, name, app.channel),
        siblings: siblings.filter(({ channel }) => channel !== app.channel),
        local: app.publisher === FIRST_PARTY ? local(app.id) : undefined,
        installed: installedOf(status),
        retainedBy: status?.state === 'retained' ? status.publisher : undefined,
        allows,
        seed,
        nowMs,
      })
    },
  }
}

function offerOf(catalog: Pick<Catalog, 'find'>, name: string, channel: string) {
  try {
    return catalog.find(name, channel)
  } catch (error) {
    if (codeOf(error) === 'APP_UNKNOWN') return messageOf(error)
    throw error
  }
}

/** What is installed here; what was uninstalled only keeps its name, by `retainedBy`. */
function installedOf(status: AppStatus | undefined) {
  if (status === undefined || status.publisher === undefined) return undefined
  const { publisher, seq, version, manifest } = status
  if (status.state === 'retained' || manifest === undefined) return undefined
  return { publisher, seq, version, manifest }
}
