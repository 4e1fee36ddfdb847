import { expect } from 'chai'
import type { AppStatus } from '../../../orchestrator/index.ts'
import { parseDigest } from '../../../src/core/digest.ts'
import { appView } from '../../../src/status.ts'

const RUNNING: AppStatus = {
  id: 'web',
  title: 'Web',
  version: '1.0.0',
  seq: 1,
  state: 'running',
  health: 'healthy',
  desired: 'running',
  components: [],
  ports: [],
  interfaces: [],
  isStale: false,
  findings: [],
}
const APP_ERROR = { code: 'START_FAILED', message: 'it did not start' }
const KEEPER_ERROR = { code: 'DISK_FULL', message: 'no room', retryAtMs: 5 }
const RELEASE = parseDigest(`blake3:${'ab'.repeat(32)}`)
const PROGRESS = { release: RELEASE, heldBytes: 1, sizeBytes: 2 }

describe('appView', () => {
  it('shows what the orchestrator says while nothing is on its way', () => {
    const { next, error, ...view } = appView(
      'web',
      RUNNING,
      { channel: 'stable' },
      { phase: 'idle' },
    )
    expect(view).to.deep.equal({ ...RUNNING, channel: 'stable' })
    expect([next, error]).to.deep.equal([undefined, undefined])
  })

  it('keeps the state of an installed app while its next version comes', () => {
    const keeper = { phase: 'fetching', version: '2.0.0', progress: PROGRESS } as const
    expect(appView('web', RUNNING, { channel: 'stable' }, keeper)).to.deep.include({
      state: 'running',
      version: '1.0.0',
      next: {
        version: '2.0.0',
        progress: PROGRESS,
        bytesPerSecond: { peer: 0, origin: 0 },
      },
    })
  })

  it('adds up what the transfers of the release get, and of no other', () => {
    const keeper = { phase: 'fetching', version: '2.0.0', progress: PROGRESS } as const
    const from = (kind: 'peer' | 'origin', bytesPerSecond: number) => {
      return { kind, name: 'x', verifiedBytes: 0, bytesPerSecond }
    }
    const other = parseDigest(`blake3:${'cd'.repeat(32)}`)
    const transfers = [
      { release: RELEASE, sources: [from('peer', 5), from('peer', 6), from('origin', 1)] },
      { release: RELEASE, sources: [from('origin', 2)] },
      { release: other, sources: [from('peer', 100)] },
    ]
    const { next } = appView('web', RUNNING, { channel: 'stable' }, keeper, transfers)
    expect(next?.bytesPerSecond).to.deep.equal({ peer: 11, origin: 3 })
  })

  for (const [what, keeper, state] of [
    ['nothing was heard of', { phase: 'idle' }, 'waiting'],
    ['is queued', { phase: 'queued' }, 'waiting'],
    ['is fetched', { phase: 'fetching', version: '1' }, 'fetching'],
    ['is installed', { phase: 'installing', version: '1' }, 'installing'],
    ['waits for the catalog', { phase: 'waiting' }, 'waiting'],
    ['failed to come', { phase: 'waiting', version: '1', error: KEEPER_ERROR }, 'failed'],
  ] as const) {
    it(`says "${state}" of a new app that ${what}`, () => {
      expect(appView('web', undefined, { channel: 'stable' }, keeper).state).to.equal(state)
    })
  }

  it('takes an app whose data was kept for a new one when it is wanted again', () => {
    const retained = { ...RUNNING, state: 'retained' } as const
    expect(appView('web', retained, undefined, { phase: 'idle' }).state).to.equal('retained')
    const keeper = { phase: 'fetching', version: '2.0.0' } as const
    expect(appView('web', retained, { channel: 'stable' }, keeper).state).to.equal('fetching')
  })

  it('tells why the next version does not come rather than an older failure of the app', () => {
    const app = { ...RUNNING, error: APP_ERROR }
    const failed = { phase: 'waiting', version: '2.0.0', error: KEEPER_ERROR } as const
    expect(appView('web', app, { channel: 'stable' }, failed).error).to.equal(KEEPER_ERROR)
    expect(appView('web', app, { channel: 'stable' }, { phase: 'idle' }).error).to.equal(APP_ERROR)
  })

  it('says nothing of an old failure while a new try is under way', () => {
    const app = { ...RUNNING, error: APP_ERROR }
    for (const phase of ['queued', 'fetching', 'installing'] as const) {
      const view = appView('web', app, { channel: 'stable' }, { phase, error: KEEPER_ERROR })
      expect(view, phase).to.not.have.property('error')
    }
  })
})
