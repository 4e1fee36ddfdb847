/**
 * Checks single signatures against Project Wycheproof.
 * Goal: the verifier takes every valid signature and no invalid one.
 * Method: run each vector through the functions that check catalog signatures.
 */
import { expect } from 'chai'
import { isSignedBy, openKey } from '../../catalog/trust/key.ts'
import { readVectors } from '../support/vectors.ts'

interface Vectors {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk?: string }
    readonly publicKeyPem: string
    readonly tests: readonly { tcId: number; msg: string; sig: string; result: string }[]
  }[]
}

const suites = [
  { file: 'wycheproof-ed25519.json.gz', keytype: 'ed25519', scheme: 'ed25519', count: 151 },
  {
    file: 'wycheproof-ecdsa-p256-sha256.json.gz',
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    count: 484,
  },
]

for (const { file, keytype, scheme, count } of suites) {
  const vectors = readVectors(file) as Vectors | undefined
  if (vectors === undefined) continue
  it(`agrees with all vectors of ${file}`, () => {
    const wrong: number[] = []
    let seen = 0
    for (const group of vectors.testGroups) {
      const text = group.publicKey.pk ?? group.publicKeyPem
      const key = openKey({ keytype, scheme, keyval: { public: text } })
      for (const { tcId, msg, sig, result } of group.tests) {
        seen += 1
        const isValid = key !== undefined && isSignedBy(key, Buffer.from(msg, 'hex'), sig)
        if (isValid !== (result === 'valid')) wrong.push(tcId)
      }
    }
    expect(wrong).to.deep.equal([])
    expect(seen).to.equal(count)
  })
}
