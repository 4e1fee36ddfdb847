import { expect } from 'chai'
import { PublishError } from '../../../../catalog/errors.ts'
import { changeBootstrap } from '../../../../catalog/publish/bootstrap.ts'
import { EMPTY_DRAFT } from '../../../../catalog/publish/draft.ts'

const at = (port: number): string => `/ip4/9.9.9.9/tcp/${port}/p2p/12D3KooW${'A'.repeat(44)}`
const two = { ...EMPTY_DRAFT, bootstrap: [at(1), at(2)] }
const refusal = (attempt: () => unknown, why: RegExp) =>
  expect(attempt).to.throw(PublishError, why).with.property('code', 'DECISION_REFUSED')

describe('changeBootstrap', () => {
  it('adds at the end, takes away, and names nothing twice', () => {
    const { bootstrap } = changeBootstrap(two, { add: [at(3), at(2)], remove: [at(1)] })
    expect(bootstrap).to.deep.equal([at(2), at(3)])
  })

  it('leaves the draft as it is when nothing changes', () => {
    expect(changeBootstrap(two, { add: [at(2)], remove: [] })).to.equal(two)
  })

  it('refuses what nodes would leave out', () => {
    refusal(() => changeBootstrap(two, { add: ['/ip4/9.9.9.9/tcp/1'], remove: [] }), /of the form/)
    const add = Array.from({ length: 15 }, (_, index) => at(100 + index))
    refusal(() => changeBootstrap(two, { add, remove: [] }), /17 addresses, at most 16/)
  })

  it('refuses to take away what is not there', () => {
    refusal(() => changeBootstrap(two, { add: [], remove: [at(7)] }), /is not in the list/)
  })

  it('refuses in the folder of a publisher, which signs no such list', () => {
    const draft = { ...EMPTY_DRAFT, publisher: { did: 'did:key:z', rotations: [] } }
    refusal(() => changeBootstrap(draft, { add: [at(1)], remove: [] }), /folder of a publisher/)
  })
})
