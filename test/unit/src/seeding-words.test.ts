import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openSeedingWords } from '../../../src/seeding-words.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

describe('what the owner said about seeding', () => {
  it('is kept, each limit on its own, and can be taken back', async () => {
    await using folder = await makeTempFolder()
    const words = await openSeedingWords(folder.path)
    await words.setLimits({ upload: 1000, origin: null })
    await Promise.all([words.addSeed('notes'), words.addSeed('a.web'), words.addSeed('notes')])
    const again = await openSeedingWords(folder.path)
    expect(again.limits()).to.deep.equal({ upload: 1000, origin: null })
    expect(again.seeds()).to.deep.equal(['a.web', 'notes'])
    expect(await again.setLimits({ upload: undefined })).to.deep.equal({ origin: null })
    await again.removeSeed('notes')
    expect((await openSeedingWords(folder.path)).seeds()).to.deep.equal(['a.web'])
  })

  it('stops the node when it cannot be read: limits that were set do not vanish in silence', async () => {
    await using folder = await makeTempFolder()
    await writeFile(join(folder.path, 'seeding.json'), '{"limits": {"upload": -1}, "seeds": []}')
    const opened = await openSeedingWords(folder.path).catch((error: unknown) => error)
    expect(opened).to.be.instanceOf(Error)
  })
})
