/** What a node connects to, and how often. */
import { expect } from 'chai'
import {
  DIAL_BURST,
  DIAL_BURST_PER_NETWORK,
  DIALS_PER_SECOND,
  VOUCHED_ADDRESSES_MAX,
} from '../../../swarm/discovery/limits.ts'
import { createDialGate, type DialGate } from '../../../swarm/libp2p/dial-gate.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'

describe('the dial gate', () => {
  let clock: ManualClock
  let gate: DialGate

  beforeEach(() => {
    clock = createManualClock()
    gate = createDialGate(clock)
  })
  const admitted = (count: number, address: (index: number) => string): number =>
    Array.from({ length: count }, (_, index) => gate.admit(address(index))).filter(Boolean).length

  it('lets a private address through only when something vouched for it, for that port alone', () => {
    const address = '/ip4/192.168.1.7/tcp/4001'
    expect(gate.mayDial(address)).to.equal(false)
    gate.vouch([`${address}/p2p/x`])
    expect(gate.mayDial(`${address}/p2p/y`)).to.equal(true)
    expect(gate.mayDial('/ip4/192.168.1.7/tcp/22')).to.equal(false)
  })

  it('lets public addresses through, and names only when they were configured', () => {
    expect(gate.mayDial('/ip4/9.9.9.9/tcp/1')).to.equal(true)
    expect(gate.mayDial('/dns4/inside.example/tcp/1')).to.equal(false)
    gate.vouch(['/dns4/inside.example/tcp/1'])
    expect(gate.mayDial('/dns4/inside.example/tcp/1')).to.equal(true)
  })

  it('forgets the address that was vouched for longest ago', () => {
    gate.vouch(
      Array.from({ length: VOUCHED_ADDRESSES_MAX + 1 }, (_, port) => `/ip4/10.0.0.1/tcp/${port}`),
    )
    expect(gate.mayDial('/ip4/10.0.0.1/tcp/0')).to.equal(false)
    expect(gate.mayDial('/ip4/10.0.0.1/tcp/1')).to.equal(true)
  })

  it('dials one network no more than that, whatever the port, the peer or the end of an IPv6 address', () => {
    expect(admitted(500, port => `/ip4/9.9.9.9/tcp/${port}/p2p/x`)).to.equal(DIAL_BURST_PER_NETWORK)
    expect(admitted(100, port => `/ip6/2606:4700::${port}/tcp/1`)).to.equal(DIAL_BURST_PER_NETWORK)
    expect(gate.admit('/ip4/9.9.9.8/tcp/1')).to.equal(true)
  })

  it('dials in all no more than that, and goes on as time passes', async () => {
    const address = (index: number): string => `/ip4/9.${index >> 8}.${index & 255}.1/tcp/1`
    expect(admitted(2_000, address)).to.equal(DIAL_BURST)
    await clock.advance(1_000)
    expect(admitted(2_000, index => address(index + 5_000))).to.equal(DIALS_PER_SECOND)
  })
})
