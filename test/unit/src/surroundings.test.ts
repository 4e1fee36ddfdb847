import { expect } from 'chai'
import { silentLog } from '../../../src/core/log.ts'
import { createSurroundings, isLow, parseMetered } from '../../../src/surroundings.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

describe('surroundings', () => {
  it('sees that the disk has less left than must stay free', async () => {
    await using folder = await makeTempFolder()
    const settings = { folder: folder.path, metered: 'yes' as const }
    const full = createSurroundings(silentLog, { ...settings, minFreeBytes: 2 ** 60 })
    await full.look()
    expect(full.current()).to.deep.equal({ isMetered: true, isSpaceLow: true })
    const roomy = createSurroundings(silentLog, { ...settings, minFreeBytes: 1, metered: 'no' })
    await roomy.look()
    expect(roomy.current()).to.deep.equal({ isMetered: false, isSpaceLow: false })
  })

  it('does not change its mind with every block', () => {
    expect(isLow(99, 100, false)).to.equal(true)
    expect(isLow(105, 100, true)).to.equal(true)
    expect(isLow(105, 100, false)).to.equal(false)
    expect(isLow(111, 100, true)).to.equal(false)
  })

  it('reads what NetworkManager says of the link', () => {
    const answers = ['u 0\n', 'u 1\n', 'u 2\n', 'u 3\n', 'u 4\n', '']
    expect(answers.map(parseMetered)).to.deep.equal([false, true, false, true, false, false])
  })
})
