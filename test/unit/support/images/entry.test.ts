import { expect } from 'chai'
import { arrangeLayer, fileOf, folderOf, linkOf } from '../../../support/images/entry.ts'

const pathsOf = (entries: Parameters<typeof arrangeLayer>[0], below?: ReadonlySet<string>) =>
  arrangeLayer(entries, below).map(({ path }) => path)

describe('arrangeLayer', () => {
  it('sorts by the bytes of the path, parents first', () => {
    const entries = [fileOf('b/z', ''), linkOf('b-c', 'b'), fileOf('a', ''), folderOf('b')]
    expect(pathsOf(entries)).to.deep.equal(['a', 'b', 'b-c', 'b/z'])
  })

  it('adds the folders that nobody named', () => {
    const entries = arrangeLayer([fileOf('usr/local/bin/x', '')])
    expect(entries.map(({ path }) => path)).to.deep.equal([
      'usr',
      'usr/local',
      'usr/local/bin',
      'usr/local/bin/x',
    ])
    expect(entries[0]).to.deep.include({ kind: 'folder', mode: 0o755, uid: 0, gid: 0 })
  })

  it('keeps the mode that a folder was given, wherever it stands in the list', () => {
    const entries = arrangeLayer([fileOf('tmp/x', ''), folderOf('tmp', { mode: 0o1777 })])
    expect(entries[0]).to.include({ path: 'tmp', mode: 0o1777 })
  })

  it('does not name a folder again that a lower layer has, because that would change its mode', () => {
    expect(pathsOf([fileOf('tmp/x', '')], new Set(['tmp']))).to.deep.equal(['tmp/x'])
  })

  for (const path of ['/etc/passwd', '../x', 'a/../b', './x', 'a//b', 'a/', '']) {
    it(`refuses the path ${JSON.stringify(path)}`, () => {
      expect(() => arrangeLayer([fileOf(path, '')])).to.throw('cannot hold the path')
    })
  }

  it('refuses a path that is named twice', () => {
    expect(() => arrangeLayer([fileOf('a', '1'), fileOf('a', '2')])).to.throw(
      'a is in the layer twice',
    )
  })
})
