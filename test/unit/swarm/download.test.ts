import { expect } from 'chai'
import { codeOf } from '../../../src/core/errors.ts'
import { Download } from '../../../swarm/catalog-relay/download.ts'
import { RELAY_BYTES_PER_SECOND_MIN, RELAY_IDLE_TIMEOUT_MS } from '../../../swarm/limits.ts'
import { createManualClock } from '../../support/manual-clock.ts'

describe('a catalog file on its way', () => {
  const MAX_BYTES = 1_000_000
  const part = (sizeBytes: number, offset: number, text: string) => ({
    sizeBytes,
    offset,
    bytes: Buffer.from(text),
  })
  function setUp(signal?: AbortSignal) {
    const clock = createManualClock()
    const download = new Download('a file', MAX_BYTES, clock)
    let ended = 'under way'
    const outcome = download.finished(signal).then(
      bytes => {
        ended = bytes === undefined ? 'not there' : Buffer.from(bytes).toString()
      },
      (error: unknown) => {
        ended = codeOf(error) ?? String(error)
      },
    )
    return { clock, download, ended: () => ended, outcome }
  }

  it('is whole when its parts came in order, and keeps nothing of the buffers they came in', async () => {
    const { download, ended, outcome } = setUp()
    const first = part(5, 0, 'abc')
    download.receive(first)
    first.bytes.fill(0)
    download.receive(part(5, 3, 'de'))
    await outcome
    expect(ended()).to.equal('abcde')
  })

  it('may be empty', async () => {
    const { download, ended, outcome } = setUp()
    download.receive(part(0, 0, ''))
    await outcome
    expect(ended()).to.equal('')
  })

  const wrong = {
    'a file beyond what was asked for': part(MAX_BYTES + 1, 0, 'a'),
    'a part of another place': part(5, 1, 'a'),
    'a part beyond its end': part(2, 0, 'abc'),
    'a part of nothing': part(5, 0, ''),
  }
  for (const [what, message] of Object.entries(wrong)) {
    it(`is given up on ${what}`, async () => {
      const { download, ended, outcome } = setUp()
      download.receive(message)
      await outcome
      expect(ended()).to.equal('PEER_REFUSED')
    })
  }

  it('is given up when nothing comes for the idle time, and not before', async () => {
    const { clock, download, ended } = setUp()
    await clock.advance(RELAY_IDLE_TIMEOUT_MS - 1)
    download.receive(part(200_000, 0, 'a'.repeat(150_000)))
    await clock.advance(RELAY_IDLE_TIMEOUT_MS - 1)
    expect(ended()).to.equal('under way')
    await clock.advance(RELAY_IDLE_TIMEOUT_MS)
    expect(ended()).to.equal('PEER_REFUSED')
    expect(clock.sleeperCount).to.equal(0)
  })

  it('is given up when it trickles, although it is never idle', async () => {
    const { clock, download, ended } = setUp()
    const seconds = MAX_BYTES / RELAY_BYTES_PER_SECOND_MIN
    let at = 0
    for (; at < seconds && ended() === 'under way'; at += 1) {
      download.receive(part(MAX_BYTES, at, 'a'))
      await clock.advance(1_000)
    }
    expect(ended()).to.equal('PEER_REFUSED')
    expect(at).to.be.within(RELAY_IDLE_TIMEOUT_MS / 1000, RELAY_IDLE_TIMEOUT_MS / 500)
  })

  it('is not there when the peer says so; any other refusal is one', async () => {
    const [absent, refused] = [setUp(), setUp()]
    absent.download.reject('not-found')
    refused.download.reject('limit')
    await Promise.all([absent.outcome, refused.outcome])
    expect([absent.ended(), refused.ended()]).to.deep.equal(['not there', 'PEER_REFUSED'])
  })

  it('ends when the peer leaves, and when nobody wants it any more', async () => {
    const left = setUp()
    left.download.leave()
    const stop = new AbortController()
    const stopped = setUp(stop.signal)
    stop.abort('enough')
    const late = setUp(stop.signal)
    await Promise.all([left.outcome, stopped.outcome, late.outcome])
    expect([left.ended(), stopped.ended(), late.ended()]).to.deep.equal([
      'PEER_LEFT',
      'enough',
      'enough',
    ])
  })
})
