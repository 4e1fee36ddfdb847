import { expect } from 'chai'
import { startDeadlineMs, stopDeadlineMs } from '../../../orchestrator/deadlines.ts'
import { DUO } from '../../support/orchestrator/records.ts'

describe('deadlines', () => {
  it('add up along the longest chain, because components stop and start one after another', () => {
    expect(stopDeadlineMs(DUO)).to.be.greaterThan(65_000)
    expect(startDeadlineMs(DUO)).to.be.greaterThan(180_000)
  })

  it('do not add up components that do not wait for each other', () => {
    const apart = { ...DUO, components: DUO.components.map(each => ({ ...each, dependsOn: [] })) }
    expect(stopDeadlineMs(apart)).to.be.within(60_000, 95_000)
  })

  it('end for components that wait for each other in a circle', () => {
    const components = DUO.components.map(each => ({ ...each, dependsOn: ['db', 'web'] }))
    expect(stopDeadlineMs({ ...DUO, components })).to.be.a('number')
  })
})
