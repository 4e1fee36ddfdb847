/** Forks: which two heads of the catalog contradict each other. */
import { expect } from 'chai'
import { findConflict, type Link } from '../../../catalog/fork.ts'

const link = (version: number, content: string, previous?: Link['previous']): Link => ({
  version,
  content,
  previous,
})

describe('two heads', () => {
  it('are no fork when they have one content, however often it was signed', () => {
    expect(findConflict([link(2, 'a')], link(2, 'a'))).to.equal(undefined)
    const after = { version: 1, content: 'p' }
    expect(findConflict([link(2, 'a', after)], link(2, 'a', after))).to.equal(undefined)
  })
  it('are a fork when one version has two contents', () => {
    const known = link(2, 'a')
    const found = findConflict([link(1, 'x'), known], link(2, 'b'))
    expect(found).to.deep.equal({ kind: 'same-version', version: 2, with: known })
  })
  it('are a fork when they follow one head, although their numbers differ', () => {
    const known = link(2, 'a', { version: 1, content: 'p' })
    const found = findConflict([known], link(3, 'b', { version: 1, content: 'p' }))
    expect(found).to.deep.equal({ kind: 'two-successors', version: 1, with: known })
  })
  it('are no fork when what they follow differs in version or content', () => {
    const known = link(3, 'a', { version: 2, content: 'p' })
    expect(findConflict([known], link(4, 'b', { version: 3, content: 'q' }))).to.equal(undefined)
    expect(findConflict([known], link(4, 'b', { version: 3, content: 'p' }))).to.equal(undefined)
  })
  it('are no fork when one of them follows nothing', () => {
    expect(findConflict([link(1, 'a')], link(2, 'b'))).to.equal(undefined)
    expect(findConflict([link(1, 'a')], link(2, 'b', { version: 1, content: 'a' }))).to.equal(
      undefined,
    )
  })
})
