import { expect } from 'chai'
import { formatApps } from '../../../../src/commands/app.ts'
import { formatStatus } from '../../../../src/commands/status.ts'
import { parseDigest } from '../../../../src/core/digest.ts'
import type { AppView, NodeStatus } from '../../../../src/status.ts'

const NOTHING: NodeStatus['catalog'] = {
  root: 1,
  targets: undefined,
  snapshot: undefined,
  timestamp: undefined,
  issuedMs: undefined,
  expiresMs: undefined,
  content: undefined,
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
const WAN = {
  serves: true,
  why: 'seeding is always',
  isExempt: false,
  upload: { bytesPerSecond: 2_000_000, setBy: 'schedule' as const },
  download: FREE,
}
const LAN = { ...WAN, isExempt: true, upload: FREE }
const STATUS: NodeStatus = {
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
  },
  apps: [],
}
const DIGEST = parseDigest(`blake3:${'ab'.repeat(32)}`)

describe('formatStatus', () => {
  it('shows a node that has nothing yet', () => {
    expect(formatStatus(STATUS)).to.equal(
      [
        'node      me  network home',
        'catalog   none yet',
        'peers     none connected',
        'serving   seeding is always, upload free, download free, origin free, peers of the LAN are exempt',
        'received  0 B from peers, 0 B from the origin',
        '',
        'No apps. Install one with "archy app install <id>".',
      ].join('\n'),
    )
  })

  it('shows the age of the catalog, and why there is no newer one', () => {
    const error = { code: 'METADATA_EXPIRED', message: 'it is old', sinceMs: 0 }
    const refresh = { reachedAtMs: 0, error }
    const none = formatStatus({ ...STATUS, catalog: { ...NOTHING, refresh } })
    expect(none).to.include('none yet; last refresh failed: it is old (METADATA_EXPIRED)\n')
    const catalog = { ...NOTHING, timestamp: 4, ageMs: 120_000, refresh }
    expect(formatStatus({ ...STATUS, catalog })).to.match(
      /version 4, fresh, signed 2 min ago; last refresh failed: it is old \(METADATA_EXPIRED\)\n/,
    )
  })

  it('lists peers and transfers with their bytes by source', () => {
    const peer = {
      peerId: 'you',
      address: '/ip4/192.0.2.7/tcp/1',
      scope: 'wan' as const,
      receivedBytes: 1,
      servedBytes: 2,
      terms: WAN,
    }
    const transfer = {
      digest: DIGEST,
      release: DIGEST,
      sizeBytes: 4000,
      heldBytes: 1000,
      missingPieceCount: 1,
      withoutSourceCount: 0,
      reusedBytes: 0,
      bytes: { peer: 600, origin: 400 },
      sources: [],
    }
    const text = formatStatus({
      ...STATUS,
      swarm: { ...STATUS.swarm, peers: [peer], transfers: [transfer] },
    })
    expect(text).to.match(
      /^peers +1 connected\n +you {2}\/ip4\/192\.0\.2\.7\/tcp\/1 {2}WAN, served, upload 2\.0 MB\/s \(schedule\), download free$/m,
    )
    expect(text).to.match(
      /^transfer +blake3:abababababab… {2}1\.0 kB of 4\.0 kB \(peers 600 B, origin 400 B\)$/m,
    )
  })
})

describe('formatApps', () => {
  const page = { id: 'page', title: 'Page', protocol: 'http', port: 8080, path: '/x' }
  for (const [what, app, line] of [
    [
      'an app that runs, and where',
      { id: 'web', version: '1.0.0', state: 'running', interfaces: [page] },
      'web  1.0.0  running  Page: port 8080/x',
    ],
    ['an app that is not there yet', { id: 'web', state: 'waiting' }, 'web  -  waiting'],
    [
      'how much of the next version is here',
      {
        id: 'web',
        version: '1',
        state: 'running',
        next: { version: '2', progress: { heldBytes: 999, sizeBytes: 2000 } },
      },
      'web  1  running → 2 49 % of 2.0 kB',
    ],
    [
      'why an app does not come',
      { id: 'web', state: 'failed', error: { code: 'DISK_FULL', message: 'no room' } },
      'web  -  failed (DISK_FULL: no room)',
    ],
  ] as const satisfies readonly (readonly [string, AppView, string])[]) {
    it(`shows ${what}`, () => {
      expect(formatApps([app])).to.equal(line)
    })
  }
})
