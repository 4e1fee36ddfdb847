/** A small crowd of the model, so that what `npm run simulate` shows at full size is watched every time. */
import { expect } from 'chai'
import { type CrowdOptions, percentile, runCrowd } from './crowd.ts'

const MIB = 1024 * 1024
const CROWD: CrowdOptions = {
  nodes: 60,
  seed: 1,
  blobBytes: 8 * MIB,
  dials: 10,
  linksMax: 40,
  originBytesPerSecond: 10_000_000,
  seederBytesPerSecond: 12_500_000,
  profile: 'home',
  spreadMs: 3_000,
}

describe('a crowd of the model', function () {
  this.timeout(30_000)

  it('feeds itself from one seeder, nearly without the origin, and all end together', async () => {
    const result = await runCrowd(CROWD)
    expect(result.unfinished).to.equal(0)
    expect(result.originBytes / CROWD.blobBytes).to.be.at.most(1.3)
    const { durationsMs } = result
    // The slowest line of sixty is far slower than that of the median; a larger blob and crowd even it out.
    expect(percentile(durationsMs, 0.99) / percentile(durationsMs, 0.5)).to.be.at.most(2)
  })

  it('is the same for the same seed, and another for another', async () => {
    const small = { ...CROWD, nodes: 12, blobBytes: 2 * MIB }
    const [first, again, other] = [
      await runCrowd(small),
      await runCrowd(small),
      await runCrowd({ ...small, seed: 2 }),
    ]
    expect(again).to.deep.equal(first)
    expect(other.durationsMs).not.to.deep.equal(first.durationsMs)
  })
})
