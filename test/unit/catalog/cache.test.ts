import { expect } from 'chai'
import { planCommit } from '../../../catalog/cache.ts'

const bytes = (text: string) => Buffer.from(text)

describe('planCommit', () => {
  it('writes documents, then roots from the highest down, then the timestamp that names them, and removes last', () => {
    const before = new Map([
      ['timestamp.json', bytes('t1')],
      ['1.snapshot.json', bytes('s1')],
      ['1.targets.json', bytes('g1')],
    ])
    const after = new Map([
      ['timestamp.json', bytes('t2')],
      ['10.root.json', bytes('r10')],
      ['2.snapshot.json', bytes('s2')],
      ['9.root.json', bytes('r9')],
      ['1.targets.json', bytes('g1')],
    ])
    expect(planCommit(before, after).map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal([
      'write 2.snapshot.json',
      'write 10.root.json',
      'write 9.root.json',
      'write timestamp.json',
      'remove 1.snapshot.json',
    ])
  })

  it('has nothing to do when nothing changed', () => {
    const same = () => new Map([['timestamp.json', bytes('t1')]])
    expect(planCommit(same(), same())).to.deep.equal([])
  })
})
