import { expect } from 'chai'
import { openWanted } from '../../../src/wanted.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

describe('openWanted', () => {
  it('starts with the list of the configuration', async () => {
    await using folder = await makeTempFolder()
    const wanted = await openWanted(folder.path, { notes: { channel: 'beta' } })
    expect(wanted.list()).to.deep.equal([{ id: 'notes', channel: 'beta' }])
  })
  it('remembers what the owner added and removed, over the configuration', async () => {
    await using folder = await makeTempFolder()
    const first = await openWanted(folder.path, { notes: { channel: 'stable' } })
    await first.remove('notes')
    await first.add('hello-web', 'stable')
    const second = await openWanted(folder.path, { notes: { channel: 'stable' } })
    expect(second.list()).to.deep.equal([{ id: 'hello-web', channel: 'stable' }])
    expect(second.channelOf('notes')).to.equal(undefined)
  })
})
