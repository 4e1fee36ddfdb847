import { expect } from 'chai'
import { formatRows, isOk } from '../../support/report-rows.ts'

const good = { id: 'a', must: '≤ 5', measured: '3', ok: true }
const bad = { id: 'b', must: '≤ 5', measured: '9', ok: false }

describe('rows of a proof', () => {
  it('hold only when there are some and every one holds', () => {
    expect([[], [good], [good, bad]].map(isOk)).to.deep.equal([false, true, false])
  })

  it('are one line of JSON for a program', () => {
    const text = formatRows([good, bad], true)
    expect(text).to.not.include('\n')
    expect(JSON.parse(text)).to.deep.equal({ ok: false, rows: [good, bad] })
  })

  it('name for a person what failed and by how much', () => {
    expect(formatRows([good, bad], false)).to.include('FAIL  b: 9  (must: ≤ 5)')
  })
})
