import { expect } from 'chai'
import { parseDigest } from '../../../../src/core/digest.ts'
import { createClaims } from '../../../../swarm/store/claims.ts'

const DIGEST = parseDigest(`blake3:${'a'.repeat(64)}`)

describe('claims on blobs', () => {
  it('keep a blob until the last of them ends, each of which ends once', () => {
    const claims = createClaims()
    const first = claims.lease([DIGEST])
    const second = claims.lease([DIGEST])
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    expect(claims.isLeased(DIGEST)).to.equal(true)
    second[Symbol.dispose]()
    expect(claims.isLeased(DIGEST)).to.equal(false)
  })

  it('count a blob that two promised once, until both are done', () => {
    const claims = createClaims()
    const id = { digest: DIGEST, sizeBytes: 7 }
    const first = claims.promise([id])
    const second = claims.promise([id])
    expect(claims.promised()).to.deep.equal([id])
    second[Symbol.dispose]()
    expect(claims.isPromised(DIGEST)).to.equal(true)
    first[Symbol.dispose]()
    expect(claims.promised()).to.deep.equal([])
  })
})
