import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openWanted } from '../../../src/wanted.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

describe('openWanted', () => {
  it('starts with the list of the configuration', async () => {
    await using folder = await makeTempFolder()
    const wanted = await openWanted(folder.path, { notes: { channel: 'beta' } })
    expect(wanted.list()).to.deep.equal([{ id: 'notes', publisher: 'core', channel: 'beta' }])
  })
  it('remembers what the owner added and removed, over the configuration', async () => {
    await using folder = await makeTempFolder()
    const first = await openWanted(folder.path, { notes: { channel: 'stable' } })
    await first.remove('notes')
    await first.add('hello-web', { channel: 'stable' })
    const second = await openWanted(folder.path, { notes: { channel: 'stable' } })
    expect(second.list()).to.deep.equal([{ id: 'hello-web', publisher: 'core', channel: 'stable' }])
    expect(second.find('notes')?.channel).to.equal(undefined)
  })
  it('keeps every one of several decisions that are made at once', async () => {
    await using folder = await makeTempFolder()
    const first = await openWanted(folder.path, {})
    await Promise.all(['a', 'b', 'c'].map(id => first.add(id, { channel: 'stable' })))
    const second = await openWanted(folder.path, {})
    expect(second.list().map(({ id }) => id)).to.deep.equal(['a', 'b', 'c'])
  })
  it('keeps a pin, a publisher and the trust in it, and reads decisions that have none', async () => {
    await using folder = await makeTempFolder()
    await writeFile(join(folder.path, 'wanted.json'), '{"old":{"channel":"stable"}}')
    const first = await openWanted(folder.path, { 'zabc.other': { channel: 'stable' } })
    const wish = { channel: 'beta', publisher: 'zabc', pin: '1.0.0', trusts: 'did:key:z6Mk' }
    await first.add('notes', wish)
    const second = await openWanted(folder.path, {})
    expect(second.find('notes')).to.deep.equal({ id: 'notes', ...wish })
    expect(second.find('old')?.publisher).to.equal('core')
    expect(first.find('other')?.publisher).to.equal('zabc')
  })
  it('changes nothing when a decision could not be kept, and keeps the next one', async () => {
    await using folder = await makeTempFolder()
    const place = join(folder.path, 'state')
    const wanted = await openWanted(place, {})
    await writeFile(place, 'a file where the folder should be')
    const failed = await wanted.add('a', { channel: 'stable' }).catch(() => 'failed')
    expect({ failed, list: wanted.list() }).to.deep.equal({ failed: 'failed', list: [] })
    await rm(place)
    await wanted.add('b', { channel: 'stable' })
    expect(wanted.list().map(({ id }) => id)).to.deep.equal(['b'])
  })
})
