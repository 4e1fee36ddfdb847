import { expect } from 'chai'
import { Bitfield } from '../../../../swarm/bitfield.ts'
import { crowdWaitMs } from '../../../../swarm/transfer/crowd.ts'
import { createSession, type SessionAction } from '../../../../swarm/transfer/session.ts'

const PIECE = 256 * 1024
const FELLOWS = 20

describe('waiting in a crowd', () => {
  const longestMs = crowdWaitMs(FELLOWS, 1)

  it('is short for few of however many', () => {
    const waits = Array.from({ length: 10_000 }, (_, index) => crowdWaitMs(FELLOWS, index / 10_000))
    const share = (part: number): number =>
      waits.filter(waitMs => waitMs < longestMs * part).length / waits.length
    expect(Math.min(...waits)).to.be.closeTo(0, 0.001)
    expect(share(0.25)).to.be.within(0.0005, 0.002)
    expect(share(0.5)).to.be.within(0.005, 0.02)
    expect(share(0.75)).to.be.within(0.05, 0.2)
  })

  it('is longer with more of them, and never long', () => {
    expect(crowdWaitMs(1, 0.5)).to.be.lessThan(1_000)
    expect(crowdWaitMs(FELLOWS, 0.5)).to.be.greaterThan(crowdWaitMs(FELLOWS / 2, 0.5))
    expect(longestMs).to.be.lessThan(10_000)
  })
})

describe('a session in a large crowd', () => {
  /** `firstBytes`: what comes of the first request before the crowd is there. */
  function inCrowd(hasOriginFirst = false, firstBytes = 0) {
    const session = createSession({
      sizeBytes: 64 * PIECE,
      pieceSizeBytes: PIECE,
      pieceCount: 64,
      isHeld: () => false,
      seed: 1,
      startedMs: 0,
      peersExpected: true,
    })
    const actions: SessionAction[] = []
    const handle = (event: Parameters<typeof session.handle>[0], nowMs: number): void => {
      actions.push(...session.handle(event, nowMs, 64 * PIECE))
    }
    const rate = undefined
    const join = (source: string, sourceKind: 'peer' | 'origin', nowMs: number): void =>
      handle({ kind: 'joined', source, sourceKind, requestsMax: 64, rate }, nowMs)
    join('origin', 'origin', 0)
    if (hasOriginFirst) handle({ kind: 'tick' }, 200)
    const [first] = actions
    if (firstBytes > 0 && first?.kind === 'ask') {
      handle({ kind: 'received', request: first.request, bytes: firstBytes }, 205)
    }
    const atMs = hasOriginFirst ? 210 : 10
    const fellows = Array.from({ length: FELLOWS }, (_, index) => `p${index}`)
    for (const source of fellows) join(source, 'peer', atMs)
    for (const source of fellows) handle({ kind: 'wants', source }, atMs)
    const asked = () =>
      actions.flatMap(action =>
        action.kind === 'ask' && action.source === 'origin' ? [action.pieceCount] : [],
      )
    return { handle, asked, actions }
  }

  it('leaves the origin to others for a while, then asks for one piece', () => {
    const { handle, asked } = inCrowd()
    handle({ kind: 'tick' }, 400)
    expect(asked()).to.deep.equal([])
    handle({ kind: 'tick' }, crowdWaitMs(FELLOWS, 1))
    expect(asked()).to.deep.equal([1])
  })

  it('waits on while its fellows say that they get pieces', () => {
    const { handle, asked } = inCrowd()
    const longestMs = crowdWaitMs(FELLOWS, 1)
    const pieces = new Bitfield(64)
    handle(
      { kind: 'joined', source: 'late', sourceKind: 'peer', requestsMax: 64, rate: undefined },
      300,
    )
    for (let nowMs = 300; nowMs < longestMs; nowMs += 100) {
      handle({ kind: 'holds', source: 'late', pieces: [0] }, nowMs)
    }
    handle({ kind: 'holds', source: 'late', pieces }, longestMs)
    expect(asked()).to.deep.equal([])
  })

  it('breaks off what it asked the origin for before it saw the crowd', () => {
    const { handle, asked, actions } = inCrowd(true, PIECE / 2)
    const before = asked()
    expect(Math.max(...before)).to.be.greaterThan(1)
    const first = actions.find(action => action.kind === 'ask')
    if (first?.kind !== 'ask') throw new Error('nothing was asked')
    handle({ kind: 'received', request: first.request, bytes: PIECE / 2 }, 300)
    const { request, firstPiece } = first
    handle({ kind: 'piece', request, pieceIndex: firstPiece, outcome: 'stored' }, 301)
    const { source } = first
    expect(actions).to.deep.include({ kind: 'cancel', request, source, reason: 'moved' })
    expect(asked()).to.deep.equal(before)
  })

  it('takes back what has not begun to come by then', () => {
    const { asked, actions } = inCrowd(true)
    const before = asked()
    const taken = actions.filter(({ kind }) => kind === 'cancel')
    expect(before.length).to.be.greaterThan(0)
    expect(taken).to.have.length(before.length)
  })
})
