/** Checks the layout of the store's files, which other versions of the program must find again. */
import { expect } from 'chai'
import { digestOf } from '../../../../src/core/digest.ts'
import { blobPathsOf, digestOfFileName, isLeftover } from '../../../../swarm/store/paths.ts'

describe('store paths', () => {
  it('spread blobs over two levels of folders', () => {
    const paths = blobPathsOf('/s', digestOf(new Uint8Array()))
    const hex = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'
    expect(paths.data).to.equal(`/s/af/13/${hex}.data`)
    expect(paths.layer).to.equal(`/s/af/13/${hex}.pieces`)
    expect(paths.bitfield).to.equal(`/s/af/13/${hex}.bitfield`)
    expect(digestOfFileName(`${hex}.pieces`)).to.equal(`blake3:${hex}`)
  })

  it('ignore foreign files and know leftovers of interrupted writes', () => {
    const names = ['notes.txt', 'af.data', `${'a'.repeat(64)}.tmp`, `${'g'.repeat(64)}.data`]
    for (const name of names) expect(digestOfFileName(name), name).to.equal(undefined)
    expect(isLeftover(`.${'a'.repeat(64)}.bitfield.0123.tmp`)).to.equal(true)
    expect(isLeftover(`${'a'.repeat(64)}.data`)).to.equal(false)
  })
})
