import { join } from 'node:path'
import { expect } from 'chai'
import { openBus } from '../../../../orchestrator/host/bus.ts'
import { createSystemd } from '../../../../orchestrator/host/systemd.ts'
import { codeOf, messageOf } from '../../../../src/core/errors.ts'
import { type BusPeer, startBusPeer } from '../../../support/orchestrator/bus-peer.ts'
import { makeTempFolder, type TempFolder } from '../../../support/temp-folder.ts'
import { waitFor } from '../../../support/wait-for.ts'

const WAIT_MS = 10_000

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('createSystemd', () => {
  let folder: TempFolder
  let peer: BusPeer
  beforeEach(async () => {
    folder = await makeTempFolder()
    peer = await startBusPeer(join(folder.path, 'bus'))
  })
  afterEach(async () => {
    await peer.close()
    await folder[Symbol.asyncDispose]()
  })
  const asked = (start: string): number => peer.calls.filter(call => call.startsWith(start)).length

  it('reads what the list of units has, and for services how they ended', async () => {
    peer.units.set('a.service', {
      ...{ active: 'failed', sub: 'failed', result: 'oom-kill', restarts: 2, exitStatus: 137 },
    })
    peer.units.set('b.target', { active: 'active', sub: 'active' })
    const units = await createSystemd(folder.path).units(['a.service', 'b.target', 'c.service'])
    expect(units.get('a.service')).to.deep.equal({
      ...{ active: 'failed', sub: 'failed', result: 'oom-kill', restarts: 2, exitStatus: 137 },
    })
    expect(units.get('b.target')?.active).to.equal('active')
    expect(units.get('c.service')?.active).to.equal('not-found')
    expect(asked('ListUnitsByNames')).to.equal(1)
  })

  it('tells a unit whose file is gone from one that still runs without it', async () => {
    peer.units.set('a.service', { load: 'not-found', active: 'active', sub: 'running' })
    const units = await createSystemd(folder.path).units(['a.service'])
    expect(units.get('a.service')?.active).to.equal('active')
  })

  it('asks for the details of a unit again only after a change, told or seen', async () => {
    peer.units.set('a.service', { active: 'active', sub: 'running', restarts: 0 })
    const systemd = createSystemd(folder.path)
    const restarts = async () => (await systemd.units(['a.service'])).get('a.service')?.restarts
    expect(await restarts()).to.equal(0)
    expect(await restarts()).to.equal(0)
    expect(asked('Get NRestarts')).to.equal(1)
    peer.units.set('a.service', { active: 'active', sub: 'running', restarts: 1 })
    peer.changed('a.service')
    await waitFor('the restart to be seen', WAIT_MS, async () => (await restarts()) === 1, 5)
    expect(asked('Get NRestarts')).to.equal(2)
    peer.units.set('a.service', { active: 'activating', sub: 'auto-restart', restarts: 2 })
    expect(await restarts()).to.equal(2)
  })

  it('asks again after a while even when no signal came', async () => {
    peer.units.set('a.service', { active: 'active', sub: 'running' })
    const systemd = createSystemd(folder.path)
    for (let pass = 0; pass < 25; pass++) await systemd.units(['a.service'])
    expect(asked('Get NRestarts')).to.equal(2)
  })

  it('calls back when a unit that was read changed, and not after it was told to stop', async () => {
    peer.units.set('a.service', { active: 'active', sub: 'running' })
    const systemd = createSystemd(folder.path)
    let hints = 0
    const stop = systemd.onChange(() => {
      hints++
    })
    await systemd.units(['a.service'])
    peer.changed('a.service')
    await waitFor('a hint', WAIT_MS, () => hints > 0, 5)
    stop()
    const before = hints
    peer.changed('a.service')
    await systemd.units(['a.service'])
    expect(hints).to.equal(before)
  })

  it('dials again when the bus went away, and tells that it did', async () => {
    peer.units.set('a.service', { active: 'active', sub: 'running' })
    const systemd = createSystemd(folder.path)
    let hints = 0
    systemd.onChange(() => {
      hints++
    })
    await systemd.units(['a.service'])
    await peer.close()
    await waitFor('the loss to be told', WAIT_MS, () => hints > 0, 5)
    const error = await failure(systemd.units(['a.service']))
    expect(codeOf(error)).to.equal('HOST_UNREACHABLE')
    expect(messageOf(error)).to.match(/dbus-user-session/)
    peer = await startBusPeer(join(folder.path, 'bus'))
    peer.units.set('a.service', { active: 'failed', sub: 'failed' })
    expect((await systemd.units(['a.service'])).get('a.service')?.active).to.equal('failed')
  })

  it('starts every unit also after one that is unknown, which it names', async () => {
    peer.units.set('b.service', { active: 'inactive', sub: 'dead' })
    const error = await failure(createSystemd(folder.path).start(['a.service', 'b.service']))
    expect(codeOf(error)).to.equal('HOST_COMMAND_FAILED')
    expect(messageOf(error)).to.equal('StartUnit a.service: Unit a.service not found.')
    expect(peer.calls).to.include('StartUnit b.service')
  })

  it('takes a unit that systemd does not know for stopped', async () => {
    await createSystemd(folder.path).stop(['a.service'])
    expect(peer.calls).to.include('StopUnit a.service')
  })

  it('waits for the end of a job, and says how it ended', async () => {
    peer.units.set('a.service', { active: 'inactive', sub: 'dead' })
    const systemd = createSystemd(folder.path)
    await systemd.startAndWait('a.service', WAIT_MS)
    peer.jobResult = 'dependency'
    const failed = await failure(systemd.startAndWait('a.service', WAIT_MS))
    expect(messageOf(failed)).to.match(/^a\.service did not start: dependency/)
    peer.jobResult = undefined
    const late = await failure(systemd.startAndWait('a.service', 50))
    expect(codeOf(late)).to.equal('HOST_COMMAND_TIMEOUT')
  })
})

describe('openBus', () => {
  it('gives up on a call that is not answered in time', async () => {
    await using folder = await makeTempFolder()
    const path = join(folder.path, 'bus')
    const peer = await startBusPeer(path)
    peer.isStuck = true
    const bus = await openBus(path, { onSignal() {}, onLost() {} })
    const error = await failure(
      bus.call({
        destination: 'org.freedesktop.systemd1',
        path: '/org/freedesktop/systemd1',
        interface: 'org.freedesktop.systemd1.Manager',
        member: 'ListUnitsByNames',
        signature: 'as',
        body: [[]],
        timeoutMs: 50,
      }),
    )
    expect(codeOf(error)).to.equal('HOST_COMMAND_TIMEOUT')
    bus.close()
    await peer.close()
  })
})
