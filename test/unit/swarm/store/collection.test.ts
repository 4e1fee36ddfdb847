import { expect } from 'chai'
import { parseDigest } from '../../../../src/core/digest.ts'
import {
  type BlobRole,
  planCollection,
  type StoredBlob,
} from '../../../../swarm/store/collection.ts'

const KEEP: BlobRole = { kind: 'keep', why: 'installed' }
const SEED: BlobRole = { kind: 'seed' }
const UNREACHABLE: BlobRole = { kind: 'unreachable' }

function blob(name: string, bytes: number, lastUsedMs: number, role: BlobRole): StoredBlob {
  return { digest: parseDigest(`blake3:${name.repeat(64)}`), bytes, lastUsedMs, role }
}

function namesOf(plan: ReturnType<typeof planCollection>): string {
  return plan.removals.map(({ digest }) => digest.at(-1)).join('')
}

describe('planCollection', () => {
  const stored = [
    blob('a', 100, 5, SEED),
    blob('b', 100, 3, SEED),
    blob('c', 100, 9, UNREACHABLE),
    blob('d', 100, 1, KEEP),
    blob('e', 100, 4, SEED),
  ]
  const goal = { bytes: 0, allOrNothing: false, unreachableBeforeMs: 0 }

  it('removes nothing when nothing is wanted', () => {
    expect(planCollection(stored, goal)).to.deep.include({ removals: [], isEnough: true })
  })

  it('removes what nothing leads to first, then seeds from the one not used for longest', () => {
    expect(namesOf(planCollection(stored, { ...goal, bytes: 250 }))).to.equal('cbe')
  })

  it('sweeps what nothing leads to when it was not used since, also when there is room', () => {
    expect(namesOf(planCollection(stored, { ...goal, unreachableBeforeMs: 10 }))).to.equal('c')
    expect(namesOf(planCollection(stored, { ...goal, unreachableBeforeMs: 9 }))).to.equal('')
  })

  it('never removes what is kept, and says that it is not enough', () => {
    const plan = planCollection(stored, { ...goal, bytes: 1_000 })
    expect(namesOf(plan)).to.equal('cbea')
    expect(plan).to.deep.include({ bytes: 400, isEnough: false, keptCount: 1, keptBytes: 100 })
  })

  it('touches nothing when all that may go would still not be enough for a download', () => {
    const plan = planCollection(stored, { ...goal, bytes: 401, allOrNothing: true })
    expect(plan).to.deep.include({ removals: [], bytes: 0, isEnough: false })
  })
})
