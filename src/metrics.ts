/** What a node measures of itself: every metric, its unit in its name, and how it follows from the status. Pure. */
import type { NodeStatus } from './status.ts'

export interface Sample {
  /** From closed sets only: never an id, an address or a text from outside. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** The names of its labels. */
  readonly labels: readonly string[]
  read(status: NodeStatus, process: ProcessFigures): readonly Sample[]
}

export interface ProcessFigures {
  readonly cpuSeconds: number
  readonly residentBytes: number
}

const SCOPES = ['lan', 'wan', 'relay'] as const
const SOURCES = ['peer', 'origin'] as const
const RATES = ['upload', 'download', 'origin'] as const
const FRESHNESS = ['none', 'fresh', 'stale', 'expired'] as const
const APP_STATES = ['running', 'starting', 'stopped', 'failed', 'other'] as const

const one = (value: number): readonly Sample[] => [{ labels: {}, value }]

function each<Key extends string>(
  label: string,
  keys: readonly Key[],
  value: (key: Key) => number,
): readonly Sample[] {
  return keys.map(key => ({ labels: { [label]: key }, value: value(key) }))
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}

export const METRICS: readonly Metric[] = [
  {
    name: 'swarm_received_bytes_total',
    type: 'counter',
    help: 'Verified bytes of blobs received, over all runs of the node.',
    labels: ['source'],
    read: ({ swarm }) => each('source', SOURCES, source => swarm.totals[source]),
  },
  {
    name: 'swarm_reused_bytes',
    type: 'gauge',
    help: 'Bytes that running transfers took from other blobs of this node.',
    labels: [],
    read: ({ swarm }) => one(sum(swarm.transfers, transfer => transfer.reusedBytes)),
  },
  {
    name: 'swarm_peers',
    type: 'gauge',
    help: 'Connected peers.',
    labels: ['scope'],
    read: ({ swarm }) =>
      each('scope', SCOPES, scope => swarm.peers.filter(peer => peer.scope === scope).length),
  },
  {
    name: 'swarm_peer_sent_bytes',
    type: 'gauge',
    help: 'Bytes of blobs sent to the peers that are connected now.',
    labels: ['scope'],
    read: ({ swarm }) =>
      each('scope', SCOPES, scope =>
        sum(
          swarm.peers.filter(peer => peer.scope === scope),
          peer => peer.servedBytes,
        ),
      ),
  },
  {
    name: 'swarm_transfers',
    type: 'gauge',
    help: 'Blobs on their way.',
    labels: [],
    read: ({ swarm }) => one(swarm.transfers.length),
  },
  {
    name: 'swarm_transfer_missing_bytes',
    type: 'gauge',
    help: 'Bytes that blobs on their way still lack.',
    labels: [],
    read: ({ swarm }) => one(sum(swarm.transfers, each => each.sizeBytes - each.heldBytes)),
  },
  {
    name: 'swarm_receive_bytes_per_second',
    type: 'gauge',
    help: 'What sources of running transfers give now.',
    labels: ['source'],
    read: ({ swarm }) =>
      each('source', SOURCES, source =>
        sum(
          swarm.transfers.flatMap(({ sources }) => sources).filter(({ kind }) => kind === source),
          ({ bytesPerSecond }) => bytesPerSecond,
        ),
      ),
  },
  {
    name: 'swarm_pieces_without_source',
    type: 'gauge',
    help: 'Missing pieces that nobody can give at the moment.',
    labels: [],
    read: ({ swarm }) => one(sum(swarm.transfers, transfer => transfer.withoutSourceCount)),
  },
  {
    name: 'swarm_limit_bytes_per_second',
    type: 'gauge',
    help: 'Rate limits in force; absent where there is none.',
    labels: ['direction'],
    read: ({ swarm }) =>
      RATES.flatMap(direction => {
        const value = swarm.serving.limits[direction].bytesPerSecond
        return value === undefined ? [] : [{ labels: { direction }, value }]
      }),
  },
  {
    name: 'swarm_bans',
    type: 'gauge',
    help: 'Peers that are banned.',
    labels: [],
    read: ({ swarm }) => one(swarm.bans.length),
  },
  {
    name: 'catalog_version',
    type: 'gauge',
    help: 'Version of the catalog in use; 0 without one.',
    labels: [],
    read: ({ catalog }) => one(catalog.timestamp ?? 0),
  },
  {
    name: 'catalog_age_seconds',
    type: 'gauge',
    help: 'Since the catalog was signed; absent without one.',
    labels: [],
    read: ({ catalog }) => (catalog.ageMs === undefined ? [] : one(catalog.ageMs / 1000)),
  },
  {
    name: 'catalog_freshness',
    type: 'gauge',
    help: '1 for what holds of the catalog.',
    labels: ['state'],
    read: ({ catalog }) =>
      each('state', FRESHNESS, state =>
        Number(state === (catalog.timestamp === undefined ? 'none' : catalog.freshness)),
      ),
  },
  {
    name: 'apps',
    type: 'gauge',
    help: 'Apps of this node by state.',
    labels: ['state'],
    read: ({ apps }) => {
      const known = new Set<string>(APP_STATES)
      return each(
        'state',
        APP_STATES,
        state => apps.filter(app => (known.has(app.state) ? app.state : 'other') === state).length,
      )
    },
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the node, without its apps.',
    labels: [],
    read: (_status, { cpuSeconds }) => one(cpuSeconds),
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the node, without its apps.',
    labels: [],
    read: (_status, { residentBytes }) => one(residentBytes),
  },
]
