/** Checks the disk store on file systems of its own: full ones, and ones that lost their power. Needs root. */
import { expect } from 'chai'
import { z } from 'zod'
import { missingForMounts, runWithMounts } from '../support/store/mounts.ts'
import { makeFolder } from '../support/store/open.ts'

const fullSchema = z.strictObject({
  refusedBefore: z.string(),
  refusedBeside: z.string(),
  refusedWithin: z.string(),
  closed: z.string(),
  startedWhileFull: z.string(),
  heldWhenFull: z.number(),
  heldAfter: z.number(),
  present: z.number(),
  finishedBytes: z.number(),
})

const cutSchema = z.strictObject({
  pieceCount: z.number(),
  results: z.array(
    z.strictObject({
      name: z.string(),
      promised: z.number(),
      held: z.number(),
      isVerified: z.boolean(),
    }),
  ),
})

const smallSchema = z.strictObject({
  takenBytes: z.number(),
  heldAfter: z.array(z.boolean()),
  refusedWhileStaged: z.string().optional(),
  openedWithBytes: z.number(),
  keptAtTheEnd: z.boolean(),
})

const missing = missingForMounts()
if (missing !== undefined) {
  console.log(`left out: blob store on full and cut-off disks (missing: ${missing})`)
} else {
  describe('disk blob store on a disk of its own', () => {
    for (const kind of ['tmpfs', 'ext4']) {
      it(`loses nothing when ${kind} is full, and completes when there is room`, async () => {
        await using folder = await makeFolder()
        const result = fullSchema.parse(await runWithMounts('full-disk.ts', [folder.path, kind]))
        expect(result.refusedBefore).to.equal('DISK_FULL')
        expect(result.refusedBeside).to.equal('DISK_FULL')
        expect(result.refusedWithin).to.equal('DISK_FULL')
        expect(result.heldWhenFull).to.be.above(5)
        expect(result.startedWhileFull).to.be.oneOf(['opened', 'DISK_FULL'])
        expect(result.heldAfter).to.equal(result.heldWhenFull)
        expect(result.present).to.equal(result.heldAfter)
        expect(result.finishedBytes).to.equal(12 * 1024 * 1024)
      })
    }

    it('really releases the space of what it collects, and does not promise what it did not get', async () => {
      await using folder = await makeFolder()
      const result = smallSchema.parse(await runWithMounts('small-disk.ts', [folder.path]))
      // The oldest seed alone makes enough room; what came is 24 MiB, what went 12.
      expect(result.heldAfter).to.deep.equal([true, true, false, true])
      expect(result.takenBytes).to.be.within(12 * 2 ** 20 - 65_536, 12 * 2 ** 20 + 65_536)
      expect(result.refusedWhileStaged).to.equal('DISK_FULL')
      expect(result.openedWithBytes).to.equal(44 * 2 ** 20)
      expect(result.keptAtTheEnd).to.equal(true)
    })

    it('never holds a wrong piece after a power cut, and keeps every piece that was synced', async () => {
      await using folder = await makeFolder()
      const { pieceCount, results } = cutSchema.parse(
        await runWithMounts('power-cut.ts', [folder.path]),
      )
      expect(results).to.have.length.above(15)
      for (const { name, promised, held, isVerified } of results) {
        expect(held, name).to.be.at.least(promised)
        expect(isVerified, name).to.equal(held === pieceCount)
      }
      expect(results.at(-1)?.isVerified).to.equal(true)
    })
  })
}
