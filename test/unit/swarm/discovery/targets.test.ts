/** Whom a node keeps in touch with. */
import { expect } from 'chai'
import { silentLog } from '../../../../src/core/log.ts'
import { type Target, Targets } from '../../../../swarm/discovery/targets.ts'

const at = (peerId: string, host = '9.9.9.9'): string => `/ip4/${host}/tcp/4001/p2p/${peerId}`
const network = {
  peerId: 'own',
  peerIdIn: (address: string): string | undefined => /\/p2p\/(\w+)$/.exec(address)?.[1],
}

function targetsOf({
  bootstrap = [],
  isOnLoopback = false,
  random = () => 0,
}: {
  readonly bootstrap?: readonly string[]
  readonly isOnLoopback?: boolean
  readonly random?: () => number
}): Targets {
  const remembered = [{ peerId: 'helper', addresses: [at('helper')] }]
  return new Targets({ log: silentLog, random, network, isOnLoopback }, bootstrap, remembered)
}
const shown = (targets: Targets): readonly string[] =>
  targets.all().map(({ how, peerId }) => `${how} ${peerId}`)
const find = (targets: Targets, id: string): Target =>
  targets.all().find(({ peerId }) => peerId === id) ?? expect.fail(`no ${id}`)

describe('the peers that a node keeps in touch with', () => {
  it('are those of the configuration, of the catalog and of before, and never the node itself', () => {
    const targets = targetsOf({ bootstrap: [at('a'), at('own')] })
    targets.setListed([at('b'), at('own')])
    expect(shown(targets)).to.deep.equal(['bootstrap a', 'catalog b', 'remembered helper'])
  })

  it('lose those that a newer catalog does not name, and keep what is known of the others', () => {
    const targets = targetsOf({ bootstrap: [at('a')] })
    targets.setListed([at('b'), at('c')])
    find(targets, 'c').delayMs = 77
    targets.setListed([at('c'), at('d')])
    expect(shown(targets)).to.deep.equal([
      'bootstrap a',
      'catalog c',
      'catalog d',
      'remembered helper',
    ])
    expect(find(targets, 'c').delayMs).to.equal(77)
  })

  it('stay in their order while the catalog names the same ones', () => {
    const chances = [0, 0, 0.99, 0.99]
    const targets = targetsOf({ random: () => chances.shift() ?? 0 })
    targets.setListed([at('b'), at('c')])
    const before = shown(targets)
    targets.setListed([at('b'), at('c')])
    expect(shown(targets)).to.deep.equal(before)
  })

  it('are not inside a home when the catalog names them, whoever signed it', () => {
    const targets = targetsOf({ bootstrap: [at('a', '192.168.1.7')] })
    targets.setListed(['10.0.0.1', '127.0.0.1', '169.254.169.254'].map(host => at('b', host)))
    expect(shown(targets)).to.deep.equal(['bootstrap a', 'remembered helper'])
  })

  it('are on loopback only for a node that is on loopback only', () => {
    const targets = targetsOf({ isOnLoopback: true })
    targets.setListed([at('b', '127.0.0.1'), at('c', '10.0.0.1')])
    expect(shown(targets)).to.deep.equal(['catalog b', 'remembered helper'])
  })

  it('are taken from the catalog in an order by chance', () => {
    const targets = targetsOf({ random: () => 0.99 })
    targets.setListed([at('b'), at('c'), at('d')])
    expect(shown(targets).slice(0, 3)).to.deep.equal(['catalog d', 'catalog c', 'catalog b'])
  })

  it('are dialled as far as a node needs peers, those of the configuration always', () => {
    const targets = targetsOf({ bootstrap: [at('a')] })
    targets.setListed(Array.from({ length: 16 }, (_, index) => at(`p${index}`)))
    const listed = targets.all().filter(({ how }) => how === 'catalog')
    let dialled = 0
    for (const target of listed) {
      if (!targets.isWanted(target, 3)) continue
      target.isDialling = true
      dialled += 1
    }
    expect(dialled).to.equal(5)
    expect(['a', 'helper'].map(id => targets.isWanted(find(targets, id), 8))).to.deep.equal([
      true,
      false,
    ])
  })
})
