/** The status of a node that has nothing yet. */
import type { NodeStatus } from '../../src/status.ts'

export const NOTHING: NodeStatus['catalog'] = {
  root: 1,
  targets: undefined,
  snapshot: undefined,
  timestamp: undefined,
  issuedMs: undefined,
  expiresMs: undefined,
  content: undefined,
  bootstrap: [],
  unknownFeeds: [],
  freshness: 'fresh',
  nowMs: 0,
  flags: [],
  allows: { install: 'yes', update: true, reasons: [] },
  source: undefined,
  origin: { reachedAtMs: undefined, error: undefined },
  notices: [],
  ageMs: undefined,
  refresh: { reachedAtMs: undefined, error: undefined },
}
const FREE = { bytesPerSecond: undefined, setBy: 'configuration' as const }
export const WAN = {
  serves: true,
  why: 'seeding is always',
  isExempt: false,
  upload: { bytesPerSecond: 2_000_000, setBy: 'schedule' as const },
  download: FREE,
}
const LAN = { ...WAN, isExempt: true, upload: FREE }
export const STATUS: NodeStatus = {
  network: 'home',
  peerId: 'me',
  addresses: [],
  catalog: NOTHING,
  swarm: {
    peerId: 'me',
    addresses: [],
    peers: [],
    serving: {
      slots: { used: 0, count: 64, waiting: 0 },
      limits: { upload: FREE, download: FREE, origin: FREE },
      lan: LAN,
      wan: WAN,
      relay: WAN,
    },
    transfers: [],
    totals: { peer: 0, origin: 0 },
    bans: [],
    misbehaviour: [],
  },
  apps: [],
  findings: [],
}
