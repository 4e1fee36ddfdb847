import { expect } from 'chai'
import { planInstall } from '../../../orchestrator/plan.ts'
import { installed } from '../../support/orchestrator/records.ts'

const offer = (seq: number, manifest = 'blake3:one', publisher = 'core') => ({
  publisher,
  seq,
  version: String(seq),
  manifest,
})

describe('planInstall', () => {
  it('installs what is not there, does nothing for the same, updates to a newer one', () => {
    expect(planInstall(undefined, offer(1))).to.equal('install')
    expect(planInstall(installed(), offer(1))).to.equal('nothing')
    expect(planInstall(installed(), offer(2, 'blake3:two'))).to.equal('update')
  })

  it('never goes back by itself', () => {
    const record = installed()
    expect(() => planInstall(record, offer(0)))
      .to.throw()
      .with.property('code', 'RELEASE_OLDER')
  })

  it('goes back from exactly the release that the catalog names', () => {
    const record = installed()
    expect(planInstall(record, offer(0), record.committed?.seq)).to.equal('update')
    expect(() => planInstall(record, offer(0), 99))
      .to.throw()
      .with.property('code', 'RELEASE_OLDER')
  })

  it('lets a published release replace one from the disk of the owner, whatever its number', () => {
    const { committed, ...rest } = installed()
    if (committed === undefined) throw new Error('nothing is installed')
    const local = { ...rest, committed: { ...committed, publisher: 'local', seq: 9 } }
    expect(planInstall(local, offer(1, 'blake3:two'))).to.equal('update')
  })

  it('tells manifests of the owner apart by their version: they all have number 0', () => {
    const { committed, ...rest } = installed()
    if (committed === undefined) throw new Error('nothing is installed')
    const rejected = [{ seq: 0, version: '1', reason: 'web failed' }]
    const local = { ...rest, rejected, committed: { ...committed, publisher: 'local', seq: 0 } }
    const at = (version: string) => ({ ...offer(0, 'blake3:two', 'local'), version })
    expect(planInstall(local, at('2'))).to.equal('update')
    expect(() => planInstall(local, at('1')))
      .to.throw('web failed')
      .with.property('code', 'RELEASE_REJECTED')
  })

  it('refuses what cannot follow the installed version, and names the step between', () => {
    const next = { ...offer(2, 'blake3:two'), version: '3.0', follows: '>=2.0 <3' }
    expect(() => planInstall(installed(), next, undefined, ['1.0', '2.1', '2.10', '3.0']))
      .to.throw('"archy app pin duo 2.10"')
      .with.property('code', 'UPDATE_STEP_MISSING')
    expect(() => planInstall(installed(), next)).to.throw('no such version is on offer')
    expect(planInstall(installed(), { ...next, follows: '>=1' })).to.equal('update')
    expect(planInstall(undefined, next)).to.equal('install')
    expect(planInstall(installed(), { ...next, seq: 0 }, 1), 'a signed step back').to.equal(
      'update',
    )
  })

  it('never gives the data that one publisher left to an app of another', () => {
    const { committed: _, ...rest } = installed()
    const left = { ...rest, retained: true, publisher: 'core' }
    expect(planInstall(left, offer(1))).to.equal('install')
    expect(() => planInstall(left, offer(1, 'blake3:one', 'zabc')))
      .to.throw('its data')
      .with.property('code', 'RELEASE_REJECTED')
  })

  it('refuses a release that did not get healthy here before', () => {
    const rejected = [{ seq: 2, version: '2', reason: 'web failed' }]
    const plan = () => planInstall(installed({ rejected }), offer(2, 'blake3:two'))
    expect(plan).to.throw('web failed').with.property('code', 'RELEASE_REJECTED')
    expect(planInstall(installed({ rejected }), offer(3, 'blake3:three'))).to.equal('update')
  })

  it('never lets another publisher replace an app', () => {
    const plan = () => planInstall(installed(), offer(9, 'blake3:nine', 'other'))
    expect(plan).to.throw('installed from core').with.property('code', 'RELEASE_REJECTED')
  })
})
