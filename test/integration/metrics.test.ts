/** The metrics of a node over HTTP, as Prometheus reads them. */
import { expect } from 'chai'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import { serveMetrics } from '../../src/http/metrics-server.ts'
import { METRICS } from '../../src/metrics.ts'
import { STATUS, WAN } from '../support/node-status.ts'

describe('metrics over HTTP', () => {
  const loopback = { host: '127.0.0.1', port: 0 }

  it('have every metric with its help and its value', async () => {
    const peer = {
      peerId: 'secret-peer',
      address: '/ip4/192.0.2.7/tcp/1',
      scope: 'wan' as const,
      found: 'dht' as const,
    }
    const status = {
      ...STATUS,
      swarm: {
        ...STATUS.swarm,
        totals: { peer: 7, origin: 5 },
        peers: [{ ...peer, receivedBytes: 1, receivedBulkBytes: 0, servedBytes: 9, terms: WAN }],
      },
    }
    await using server = await serveMetrics(async () => status, loopback)
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`)
    expect(answer.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    for (const { name, help } of METRICS) expect(text).to.include(`# HELP ${name} ${help}\n`)
    expect(text).to.include('swarm_received_bytes_total{source="peer"} 7\n')
    expect(text).to.include('swarm_received_bytes_total{source="origin"} 5\n')
    expect(text).to.include('swarm_peers{scope="wan"} 1\n')
    expect(text).to.include('swarm_peer_sent_bytes{scope="wan"} 9\n')
    expect(text).to.include('catalog_freshness{state="none"} 1\n')
    expect(text).to.match(/^process_resident_memory_bytes [1-9]/m)
    expect(text).to.not.include('secret-peer')
  })

  it('say what to change when the address is taken', async () => {
    await using server = await serveMetrics(async () => STATUS, loopback)
    const taken = { host: '127.0.0.1', port: server.port }
    const error: unknown = await serveMetrics(async () => STATUS, taken).catch(each => each)
    expect(codeOf(error)).to.equal('METRICS_LISTEN_FAILED')
    expect(messageOf(error)).to.include('choose another address in metrics.listen')
  })
})
