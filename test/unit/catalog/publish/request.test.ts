import { expect } from 'chai'
import {
  encodeRequest,
  parseRequest,
  type SigningRequest,
} from '../../../../catalog/publish/ceremony/request.ts'
import { changesOf, requestText } from '../../../../catalog/publish/ceremony/show.ts'
import { keyIdOf } from '../../../../catalog/trust/key.ts'
import { makeKey } from '../../../support/catalog/signed-origin.ts'

const [alice, bob, mallory] = [makeKey(), makeKey(), makeKey()].map(({ publicKey }) => publicKey)

function rootOf(keys: readonly (typeof alice)[], threshold: number) {
  const keyids = keys.map(key => keyIdOf(key!))
  return {
    _type: 'root',
    version: 2,
    expires: '2027-01-01T00:00:00Z',
    roles: { root: { keyids, threshold } },
  }
}

function request(changes: Partial<SigningRequest> = {}): SigningRequest {
  return {
    v: 1,
    role: 'root',
    before: rootOf([alice], 1),
    document: rootOf([alice, bob], 2),
    quorums: [
      { who: 'old root', threshold: 1, keys: { alice: alice! } },
      { who: 'new root', threshold: 2, keys: { alice: alice!, bob: bob! } },
    ],
    ...changes,
  }
}
const outcome = (changes?: Partial<SigningRequest>): string => {
  try {
    parseRequest('a.req', encodeRequest(request(changes)))
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

describe('a signing request', () => {
  it('is accepted when it says of its holders what its roots say', () => {
    expect(outcome()).to.equal('accepted')
  })

  const lies: Readonly<Record<string, Partial<SigningRequest>>> = {
    'a key that it does not name': { document: rootOf([alice, bob, mallory], 2) },
    'another key than it names': { document: rootOf([alice, mallory], 2) },
    'a lower threshold than it names': { document: rootOf([alice, bob], 1) },
    'other holders before': { before: rootOf([bob], 1) },
    'nothing before': { before: null },
  }
  for (const [what, changes] of Object.entries(lies)) {
    it(`is refused with ${what}`, () => {
      expect(outcome(changes)).to.match(/the holders that it names are not those of its roots/)
    })
  }

  it('is refused when a root goes by the name of another role', () => {
    expect(outcome({ role: 'targets' })).to.match(/another role/)
  })

  it('shows every key that comes or goes, and no character that steers a terminal', () => {
    const { before, document } = request()
    expect(changesOf(before, document)).to.include(`+ roles › root › keyids: "${keyIdOf(bob!)}"`)
    const text = requestText(request({ document: { ...document, '\u001b[2J\u202e': 1 } }))
    expect(text).to.include('\\u{1b}[2J\\u{202e}: 1')
    expect(text).not.to.match(/[\p{Cf}]/u)
  })
})
