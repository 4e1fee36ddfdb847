import { expect } from 'chai'
import { createSequence } from '../../../src/core/sequence.ts'

describe('createSequence', () => {
  it('runs one after the other, in the order of asking', async () => {
    const inOrder = createSequence()
    const said: string[] = []
    const work = (name: string, turns: number) => async (): Promise<string> => {
      said.push(`${name} begins`)
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      said.push(`${name} ends`)
      return name
    }
    const results = await Promise.all([inOrder(work('a', 5)), inOrder(work('b', 0))])
    expect(results).to.deep.equal(['a', 'b'])
    expect(said).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('tells a failure to whoever asked for that work, and goes on', async () => {
    const inOrder = createSequence()
    const failing = inOrder(() => Promise.reject(new Error('no space')))
    const after = inOrder(() => Promise.resolve('done'))
    const reason = await failing.catch((error: Error) => error.message)
    expect([reason, await after]).to.deep.equal(['no space', 'done'])
  })
})
