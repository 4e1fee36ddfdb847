/** What a clean-up decides, for any store: it never touches what somebody keeps, and frees enough or says that it cannot. */
import { expect } from 'chai'
import fc from 'fast-check'
import { parseDigest } from '../../src/core/digest.ts'
import { type BlobRole, planCollection, type StoredBlob } from '../../swarm/store/collection.ts'

const RUN_MS_MAX = 2_000

const role = fc.constantFrom<BlobRole>(
  { kind: 'keep', why: 'installed' },
  { kind: 'seed' },
  { kind: 'unreachable' },
)
const blobs = fc
  .array(fc.record({ bytes: fc.nat(1_000), lastUsedMs: fc.nat(20), role }), { maxLength: 40 })
  .map(list =>
    list.map((blob, index): StoredBlob => {
      const digest = parseDigest(`blake3:${String(index).padStart(64, '0')}`)
      return { ...blob, digest }
    }),
  )
const goal = fc.record({
  bytes: fc.nat(12_000),
  allOrNothing: fc.boolean(),
  unreachableBeforeMs: fc.nat(21),
})

function bytesOf(list: readonly { readonly bytes: number }[]): number {
  return list.reduce((total, { bytes }) => total + bytes, 0)
}

describe('the plan of a clean-up', () => {
  it('never removes what is kept, and frees enough or says that it cannot', () => {
    fc.assert(
      fc.property(blobs, goal, (stored, wanted) => {
        const plan = planCollection(stored, wanted)
        const byDigest = new Map(stored.map(blob => [blob.digest, blob]))
        const going = plan.removals.map(({ digest }) => byDigest.get(digest))
        const free = stored.filter(blob => blob.role.kind !== 'keep')
        expect(going.every(blob => blob !== undefined && blob.role.kind !== 'keep')).to.equal(true)
        expect(new Set(going).size).to.equal(going.length)
        expect(plan.bytes).to.equal(bytesOf(plan.removals))
        expect(plan.isEnough).to.equal(bytesOf(free) >= wanted.bytes)
        if (plan.isEnough) expect(plan.bytes).to.be.at.least(wanted.bytes)
        else expect(plan.bytes).to.equal(wanted.allOrNothing ? 0 : bytesOf(free))
      }),
      { interruptAfterTimeLimit: RUN_MS_MAX, markInterruptAsFailure: false },
    )
  })

  it('takes no seed before everything unreachable, and nothing before what was used earlier', () => {
    fc.assert(
      fc.property(blobs, goal, (stored, wanted) => {
        const { removals } = planCollection(stored, wanted)
        const rank = { unreachable: 0, seed: 1 } as const
        for (const [index, removal] of removals.entries()) {
          const before = removals[index - 1]
          if (before === undefined) continue
          expect(rank[before.why]).to.be.at.most(rank[removal.why])
          if (before.why === removal.why) {
            expect(before.lastUsedMs).to.be.at.most(removal.lastUsedMs)
          }
        }
        const gone = new Set(removals.map(({ digest }) => digest))
        const stays = stored.filter(
          ({ digest, role: { kind } }) => kind === 'seed' && !gone.has(digest),
        )
        const lastSeed = removals.findLast(({ why }) => why === 'seed')
        for (const { lastUsedMs } of stays) {
          expect(lastUsedMs).to.be.at.least(lastSeed?.lastUsedMs ?? 0)
        }
      }),
      { interruptAfterTimeLimit: RUN_MS_MAX, markInterruptAsFailure: false },
    )
  })

  it('takes no more seeds than it must', () => {
    fc.assert(
      fc.property(blobs, goal, (stored, wanted) => {
        const { removals } = planCollection(stored, { ...wanted, allOrNothing: false })
        const last = removals.findLast(({ why }) => why === 'seed')
        if (last !== undefined) expect(bytesOf(removals) - last.bytes).to.be.below(wanted.bytes)
      }),
      { interruptAfterTimeLimit: RUN_MS_MAX, markInterruptAsFailure: false },
    )
  })
})
