import { expect } from 'chai'
import { redact } from '../../../../orchestrator/hooks/redact.ts'

describe('redact', () => {
  it('takes out every secret, also one that holds another', () => {
    expect(redact('user=a pass=secret-long x secret', ['secret', 'secret-long'])).to.equal(
      'user=a pass=[secret] x [secret]',
    )
  })
  it('takes characters of patterns as they are', () => {
    expect(redact('a+b. and aab!', ['a+b.'])).to.equal('[secret] and aab!')
  })
  it('keeps the end of a long text', () => {
    const text = redact(`${'x'.repeat(5000)}the reason`, [])
    expect(text)
      .to.have.length(2000)
      .and.to.match(/the reason$/)
  })
})
