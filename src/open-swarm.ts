/** Builds the swarm of a node from its configuration, together with what it has to know of the machine. */
import { join } from 'node:path'
import { createSwarm, type Swarm, type SwarmDeps, type SwarmOptions } from '../swarm/index.ts'
import type { Config } from './config.ts'
import type { Clock } from './core/clock.ts'
import type { Log } from './core/log.ts'
import { every } from './every.ts'
import type { Folders } from './folders.ts'
import { createSurroundings } from './surroundings.ts'

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** Room on the disk, and the kind of link: a change is noticed after this time. */
const SURROUNDINGS_INTERVAL_MS = 30_000

/** The swarm is not started yet; the watch goes on until it is disposed of. */
export async function openSwarm(
  config: Config,
  folders: Folders,
  { clock, log, random }: Deps,
  parts: Pick<SwarmDeps, 'store' | 'mayServe' | 'catalog'>,
): Promise<{ readonly swarm: Swarm; readonly watch: AsyncDisposable }> {
  const surroundings = createSurroundings(log, {
    folder: folders.state,
    minFreeBytes: config.storage.minimumFree,
    metered: config.swarm.metered,
  })
  const deps = { ...parts, clock, log, random, surroundings: () => surroundings.current() }
  const swarm = await createSwarm(deps, optionsOf(config, folders))
  const loop = every({ clock, log }, SURROUNDINGS_INTERVAL_MS, () => surroundings.look())
  return { swarm, watch: { [Symbol.asyncDispose]: () => loop.close() } }
}

function optionsOf({ network, origin, feeds, swarm }: Config, { state }: Folders): SwarmOptions {
  return {
    networkName: network,
    identityFile: join(state, 'identity.key'),
    stateFolder: join(state, 'swarm'),
    traceFile: swarm.trace ?? undefined,
    listen: swarm.listen,
    announceAddresses: swarm.announce,
    bootstrap: swarm.bootstrap,
    reach: {
      mdns: swarm.mdns,
      upnp: swarm.upnp === 'auto',
      relay: swarm.relay,
      useRelays: true,
    },
    origins: [...origin.urls, ...feeds.map(({ url }) => url)],
    bulk: swarm.bulk === 'off' ? undefined : { port: swarm.bulk },
    limits: {
      uploadBytesPerSecond: swarm.uploadLimit ?? undefined,
      downloadBytesPerSecond: swarm.downloadLimit ?? undefined,
      originBytesPerSecond: swarm.originLimit ?? undefined,
      connectionsMax: swarm.connections,
    },
    serving: {
      mode: swarm.seeding,
      ratio: swarm.seedRatio,
      limitLan: swarm.limitLan,
      schedule: swarm.schedule,
    },
  }
}
