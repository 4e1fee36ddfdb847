import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { EMPTY_DRAFT } from '../../../../catalog/publish/draft.ts'
import { signingKeyOf } from '../../../../catalog/publish/keys.ts'
import { signCatalog, signRoot } from '../../../../catalog/publish/sign.ts'
import { publicKeyOf } from '../../../../catalog/trust/key.ts'

const makeKey = () => generateKeyPairSync('ed25519').privateKey
const keys = { root: makeKey(), targets: makeKey(), snapshot: makeKey(), timestamp: makeKey() }
const NOW_MS = Date.UTC(2026, 0, 1)

function signedPart(bytes: Uint8Array) {
  return JSON.parse(Buffer.from(bytes).toString('utf8')).signed
}

describe('signRoot', () => {
  it('gives every role its own key and a threshold of one', () => {
    const root = signedPart(signRoot(keys, NOW_MS))
    const ids = Object.values<{ keyids: string[] }>(root.roles).flatMap(role => role.keyids)
    expect(new Set(ids).size).to.equal(4)
    expect(root.expires).to.equal('2027-01-01T00:00:00Z')
    expect(root.keys[root.roles.targets.keyids[0]]).to.deep.equal(publicKeyOf(keys.targets))
  })
})

describe('signCatalog', () => {
  it('chains the documents by version, length and hash, and says what came before', () => {
    const draft = { ...EMPTY_DRAFT, versions: { targets: 7, snapshot: 8, timestamp: 9 } }
    const signers = {
      targets: signingKeyOf(keys.targets),
      snapshot: signingKeyOf(keys.snapshot),
      timestamp: signingKeyOf(keys.timestamp),
    }
    const previous = { version: 6, sha256: 'ab'.repeat(32) }
    const files = signCatalog(draft, signers, previous, NOW_MS)
    const timestamp = signedPart(files.timestamp)
    expect(signedPart(files.targets)).to.deep.include({
      version: 7,
      expires: '2026-06-30T00:00:00Z',
    })
    expect(signedPart(files.snapshot).meta['targets.json']).to.deep.include({ version: 7 })
    expect(timestamp.meta['snapshot.json']).to.deep.include({
      version: 8,
      length: files.snapshot.length,
    })
    expect(timestamp).to.deep.include({
      version: 9,
      expires: '2026-01-08T00:00:00Z',
      'x-issued': '2026-01-01T00:00:00Z',
      'x-prev': previous,
    })
  })
})
