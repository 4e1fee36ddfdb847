import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import {
  coreDocument,
  isCurrent,
  issueOf,
  type OriginPolicy,
  targetsDocument,
  tierDocument,
} from '../../../../catalog/publish/documents.ts'
import { EMPTY_DRAFT, parseDraft } from '../../../../catalog/publish/draft.ts'
import { keyIdOf, publicKeyOf } from '../../../../catalog/trust/key.ts'
import { draftOf } from '../../../support/publish/drafts.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000
const newKey = () => publicKeyOf(generateKeyPairSync('ed25519').publicKey)
const role = (threshold = 1) => ({ keys: [newKey(), newKey()], threshold })
const policy: OriginPolicy = { core: role(2), claimed: role(), registry: role() }
const id = `z${'ab'.repeat(10)}`
const delegation = {
  did: 'did:key:zExample',
  id,
  tier: 'registry' as const,
  key: newKey(),
  version: 1,
  content: 'ab'.repeat(32),
}

describe('the documents of an origin', () => {
  it('let the top-level targets list roles and no app, core first and final', () => {
    const targets = targetsDocument(EMPTY_DRAFT, policy, issueOf('targets', 3, NOW_MS))
    expect(targets).to.deep.include({ version: 3, expires: '2026-06-30T00:00:00Z', targets: {} })
    const roles = targets.delegations?.roles ?? []
    expect(
      roles.map(({ name, paths, terminating, threshold }) => [name, paths, terminating, threshold]),
    ).to.deep.equal([
      ['core', ['apps/core.*/*'], true, 2],
      ['claimed', ['apps/z*/*'], false, 1],
      ['registry', ['apps/z*/*'], false, 1],
    ])
    expect(roles[0]?.keyids).to.have.members(policy.core.keys.map(keyIdOf))
    expect(Object.keys(targets.delegations?.keys ?? {})).to.have.length(6)
  })

  it('name revoked publishers and known forks in the top-level targets, where only offline keys sign', () => {
    const draft = {
      ...EMPTY_DRAFT,
      revokedDids: ['did:key:zBad'],
      acknowledgedForks: [['11'.repeat(32), '22'.repeat(32)]],
    }
    const targets = targetsDocument(draft, policy, issueOf('targets', 1, NOW_MS))
    expect(targets['x-revoked-dids']).to.deep.equal(['did:key:zBad'])
    expect(targets['x-ack-forks']).to.have.length(1)
  })

  it('name peers to new nodes in the top-level targets alone, and say nothing where there are none', () => {
    const address = '/ip4/9.9.9.9/tcp/4001/p2p/x'
    const draft = { ...EMPTY_DRAFT, bootstrap: [address] }
    const issue = issueOf('targets', 1, NOW_MS)
    expect(targetsDocument(draft, policy, issue)['x-bootstrap']).to.deep.equal([address])
    expect(tierDocument(draft, 'claimed', issue)).to.not.have.property('x-bootstrap')
    expect(targetsDocument(EMPTY_DRAFT, policy, issue)).to.not.have.property('x-bootstrap')
  })

  it('give a publisher the paths of its own id, in its tier alone', () => {
    const draft = { ...EMPTY_DRAFT, delegations: [delegation] }
    const registry = tierDocument(draft, 'registry', issueOf('registry', 1, NOW_MS))
    expect(registry.delegations?.roles).to.deep.equal([
      {
        name: `pub-${id}`,
        keyids: [keyIdOf(delegation.key)],
        threshold: 1,
        paths: [`apps/${id}.*/*`],
        terminating: true,
      },
    ])
    const claimed = tierDocument(draft, 'claimed', issueOf('claimed', 1, NOW_MS))
    expect(claimed.delegations?.roles).to.deep.equal([])
  })

  it('list the last two earlier heads of a channel', () => {
    const versions = ['1', '2', '3', '4']
    const draft = draftOf(versions, { published: versions, heads: { stable: 4 } })
    const core = coreDocument(draft, issueOf('core', 1, NOW_MS))
    const custom = core.targets['apps/core.hello/stable']?.custom
    expect(custom).to.have.nested.property('release.seq', 4)
    expect(custom).to.have.nested.property('older[0].seq', 2)
    expect(custom).to.have.nested.property('older[1].seq', 3)
  })

  it('are signed again only when they say something new or end soon', () => {
    const draft = draftOf(['1', '2'], { published: [], heads: { stable: 1 } })
    const live = coreDocument(draft, issueOf('core', 1, NOW_MS))
    const again = coreDocument(draft, issueOf('core', 2, NOW_MS + DAY_MS))
    expect(isCurrent('core', again, live, NOW_MS + DAY_MS)).to.equal(true)
    expect(isCurrent('core', again, live, NOW_MS + 61 * DAY_MS)).to.equal(false)
    expect(isCurrent('core', again, undefined, NOW_MS)).to.equal(false)
    const changed = draftOf(['1', '2'], { published: [], heads: { stable: 2 } })
    const other = coreDocument(changed, issueOf('core', 2, NOW_MS))
    expect(isCurrent('core', other, live, NOW_MS)).to.equal(false)
  })
})

describe('parseDraft', () => {
  it('says of an earlier form that it is one, and of anything else that it is damaged', () => {
    const parse = (text: string) => () => parseDraft('state.json', Buffer.from(text))
    expect(parse('{"v":1,"versions":{},"apps":{}}'))
      .to.throw(/has the form 1, this program writes 2; make a new origin/)
      .with.property('code', 'ORIGIN_OUTDATED')
    for (const text of ['', '[]', '{"v":2}', '{"v":2,"apps":[]}']) {
      expect(parse(text)).to.throw().with.property('code', 'ORIGIN_DAMAGED')
    }
    expect(parse(JSON.stringify(EMPTY_DRAFT))()).to.deep.equal(EMPTY_DRAFT)
  })

  it('takes one from before there was a list of peers for one that names none', () => {
    const { bootstrap: _, ...before } = EMPTY_DRAFT
    expect(parseDraft('state.json', Buffer.from(JSON.stringify(before)))).to.deep.equal(EMPTY_DRAFT)
  })
})
