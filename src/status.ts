/** What `archy status` shows: the catalog, the peers, the bytes by source, and every app with one word for its state. */
import type { AppStatus, Finding } from '../orchestrator/index.ts'
import type { BytesBySource, SwarmStatus, TransferStatus } from '../swarm/index.ts'
import type { DeliveryProgress } from './delivery.ts'
import type { KeeperState } from './keeper.ts'
import type { Node } from './node.ts'
import type { RefreshStatus } from './refresher.ts'
import type { WantedApp } from './wanted.ts'

/** One app, as the owner sees it: what the orchestrator runs, and what is on its way. */
export interface AppView extends Partial<Omit<AppStatus, 'id' | 'state' | 'error'>> {
  readonly id: string
  /** The orchestrator's word, or for an app that it does not have yet: `fetching`, `installing`, `waiting`. */
  readonly state: AppStatus['state'] | 'fetching' | 'installing' | 'waiting'
  readonly channel?: string
  /** The version that is on its way, and how much of it is here. */
  readonly next?: {
    readonly version: string
    readonly progress?: DeliveryProgress
    /** What its sources give now. */
    readonly bytesPerSecond?: Readonly<Record<keyof BytesBySource, number>>
  }
  readonly error?: { readonly code: string; readonly message: string; readonly retryAtMs?: number }
  /** The version that the owner wants it to stay at. */
  readonly pin?: string
  readonly notices?: readonly string[]
}

export interface NodeStatus {
  readonly network: string
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly catalog: ReturnType<Node['catalog']['status']> & {
    readonly ageMs: number | undefined
    readonly refresh: RefreshStatus
  }
  readonly swarm: SwarmStatus
  readonly apps: readonly AppView[]
  /** What is wrong with the machine, whatever the app. */
  readonly findings: readonly Finding[]
}

export async function nodeStatus(node: Node, network: string, nowMs: number): Promise<NodeStatus> {
  const catalog = node.catalog.status()
  return {
    network,
    peerId: node.swarm.peerId,
    addresses: node.swarm.addresses(),
    catalog: {
      ...catalog,
      notices: [...catalog.notices, ...node.localManifests.problems()],
      ageMs: catalog.issuedMs === undefined ? undefined : nowMs - catalog.issuedMs,
      refresh: node.refresher.status(),
    },
    swarm: node.swarm.status(),
    apps: await appViews(node),
    findings: node.orchestrator.findings(),
  }
}

export async function appViews(node: Node): Promise<readonly AppView[]> {
  const installed = new Map((await node.orchestrator.apps()).map(app => [app.id, app]))
  const wanted = new Map(node.wanted.list().map(app => [app.id, app]))
  const ids = [...new Set([...installed.keys(), ...wanted.keys()])].sort()
  const { transfers } = node.swarm.status()
  return ids.map(id => {
    return appView(id, installed.get(id), wanted.get(id), node.keeper.state(id), transfers)
  })
}

/** Pure: what all transfers of one release get now. */
function ratesOf(
  { release }: DeliveryProgress,
  transfers: readonly Pick<TransferStatus, 'release' | 'sources'>[],
): Record<keyof BytesBySource, number> {
  const rates = { peer: 0, origin: 0 }
  for (const transfer of transfers) {
    if (transfer.release !== release) continue
    for (const { kind, bytesPerSecond } of transfer.sources) rates[kind] += bytesPerSecond
  }
  return rates
}

/** Pure: one app from what the orchestrator and the keeper say of it. */
export function appView(
  id: string,
  app: AppStatus | undefined,
  wish: Pick<WantedApp, 'channel' | 'pin'> | undefined,
  keeper: KeeperState,
  transfers: readonly Pick<TransferStatus, 'release' | 'sources'>[] = [],
): AppView {
  const isThere = app !== undefined && app.state !== 'retained'
  const state = isThere || wish === undefined ? app?.state : stateOnTheWay(keeper)
  const { error: appError, ...installed } = app ?? {}
  const error = isUnderWay(keeper) ? undefined : (keeper.error ?? appError)
  return {
    ...installed,
    id,
    state: state ?? 'waiting',
    ...(wish === undefined ? {} : { channel: wish.channel }),
    ...(wish?.pin === undefined ? {} : { pin: wish.pin }),
    ...(keeper.notices === undefined ? {} : { notices: keeper.notices }),
    ...(keeper.version === undefined
      ? {}
      : {
          next: {
            version: keeper.version,
            ...(keeper.progress === undefined
              ? {}
              : {
                  progress: keeper.progress,
                  bytesPerSecond: ratesOf(keeper.progress, transfers),
                }),
          },
        }),
    ...(error === undefined ? {} : { error }),
  }
}

/** What went wrong before says nothing about a try that is under way. */
function isUnderWay({ phase }: KeeperState): boolean {
  return phase === 'queued' || phase === 'fetching' || phase === 'installing'
}

function stateOnTheWay({ phase, error }: KeeperState): AppView['state'] {
  if (phase === 'fetching' || phase === 'installing') return phase
  return error === undefined ? 'waiting' : 'failed'
}
