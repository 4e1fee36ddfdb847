import { createHash, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { expect } from 'chai'
import { createBulkCertificate } from '../../../../swarm/bulk/certificate.ts'

describe('the certificate of the bulk channel', () => {
  it('is one that OpenSSL reads, signed with its own key', () => {
    const { cert, key, fingerprint } = createBulkCertificate()
    const read = new X509Certificate(cert)
    expect(read.verify(read.publicKey)).to.equal(true)
    expect(read.subject).to.equal('CN=archy bulk')
    expect(read.issuer).to.equal(read.subject)
    expect([read.validFromDate.getFullYear(), read.validToDate.getFullYear()]).to.deep.equal([
      2020, 2049,
    ])
    expect(Buffer.from(fingerprint)).to.deep.equal(createHash('sha256').update(read.raw).digest())
    expect(() => createSecureContext({ cert, key })).not.to.throw()
  })

  it('is another one each time', () => {
    const [one, other] = [createBulkCertificate(), createBulkCertificate()]
    expect(Buffer.compare(one.fingerprint, other.fingerprint)).not.to.equal(0)
    expect(new X509Certificate(one.cert).serialNumber).to.match(/^[4-7][0-9A-F]{31}$/)
  })
})
