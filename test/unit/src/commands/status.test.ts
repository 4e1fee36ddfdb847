import { expect } from 'chai'
import { formatApps } from '../../../../src/commands/app-text.ts'
import { formatStatus } from '../../../../src/commands/status.ts'
import { parseDigest } from '../../../../src/core/digest.ts'
import type { AppView } from '../../../../src/status.ts'
import { NOTHING, STATUS, WAN } from '../../../support/node-status.ts'

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
      receivedBulkBytes: 0,
      found: 'dht' as const,
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
      sources: [
        { kind: 'peer', name: 'you', verifiedBytes: 600, bytesPerSecond: 100 },
        { kind: 'origin', name: 'https://o.example/', verifiedBytes: 400, bytesPerSecond: 50 },
        { kind: 'peer', name: 'idle', verifiedBytes: 0, bytesPerSecond: 0 },
      ] as const,
    }
    const misbehaviour = [
      { peerId: 'bad', points: 60, offences: { flood: 3, silent: 1 }, verdict: 'cut off' as const },
    ]
    const text = formatStatus({
      ...STATUS,
      swarm: { ...STATUS.swarm, peers: [peer], transfers: [transfer], misbehaviour },
    })
    expect(text).to.match(/^offender +bad {2}flood ×3, silent ×1: cut off$/m)
    expect(text).to.match(
      /^peers +1 connected\n +you {2}\/ip4\/192\.0\.2\.7\/tcp\/1 {2}WAN, found by DHT, served, upload 2\.0 MB\/s \(schedule\), download free$/m,
    )
    expect(text.split('\n').slice(-5, -2)).to.deep.equal([
      'transfer  blake3:abababababab…  [#####···············] 25 % of 4.0 kB, peers 100 B/s, origin 50 B/s, 20 s left',
      '            peer you  600 B, 100 B/s',
      '            origin https://o.example/  400 B, 50 B/s',
    ])
  })

  it('says what of a transfer was here already', () => {
    const digest = DIGEST
    const transfer = {
      ...{ digest, release: digest, sizeBytes: 4000, heldBytes: 4000, reusedBytes: 3000 },
      ...{
        missingPieceCount: 0,
        withoutSourceCount: 0,
        bytes: { peer: 0, origin: 0 },
        sources: [],
      },
    }
    const text = formatStatus({ ...STATUS, swarm: { ...STATUS.swarm, transfers: [transfer] } })
    expect(text).to.match(/\[####################\] 100 % of 4\.0 kB, 3\.0 kB were here$/m)
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
        next: {
          version: '2',
          progress: { release: DIGEST, heldBytes: 999, sizeBytes: 2000 },
          bytesPerSecond: { peer: 0, origin: 500 },
        },
      },
      'web  1  running → 2 [#########···········] 49 % of 2.0 kB, origin 500 B/s, 2 s left',
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
