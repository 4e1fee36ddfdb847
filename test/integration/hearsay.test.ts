/** Real nodes with public addresses, in a network namespace: what they make of addresses that they are told. */
import { expect } from 'chai'
import { missingForNamespaces, runWithAddresses } from '../support/swarm/private-networks.ts'

const PUBLIC = ['11.0.0.1', '11.0.0.2', '11.0.0.3', '11.0.0.4']
const INSIDE = ['10.0.0.9', '192.168.7.7', '100.64.0.9', '169.254.169.254', '169.254.3.3']
const missing = missingForNamespaces()

if (missing === undefined) {
  describe('a node that a peer on the Internet sends elsewhere', () => {
    it('goes to public addresses, and never into its own home, its own machine or a cloud', async function () {
      this.timeout(60_000)
      const outcome = await runWithAddresses('tempted-node.ts', [...PUBLIC, ...INSIDE])
      const { hits } = outcome as { hits: Readonly<Record<string, number>> }
      expect(hits['11.0.0.3'], 'named by the DHT').to.be.greaterThan(0)
      expect(hits['11.0.0.4'], 'named by exchange').to.be.greaterThan(0)
      for (const host of [...INSIDE, '127.0.0.1']) expect(hits[host], host).to.equal(0)
    })
  })

  describe('nodes with public addresses', () => {
    it('find a holder by the DHT, also when all of them have just started', async function () {
      this.timeout(60_000)
      const outcome = await runWithAddresses('distant-nodes.ts', PUBLIC)
      const { found, ...rest } = outcome as { found: string }
      expect(rest).to.deep.equal({ totals: { peer: 1_000_000, origin: 0 }, scope: 'wan' })
      expect(found).to.be.oneOf(['dht', 'inbound'])
    })
  })

  describe('a node that serves nobody on the Internet', () => {
    it('is named there by no record, and is as soon as it serves everybody', async function () {
      this.timeout(60_000)
      const outcome = await runWithAddresses('quiet-holder.ts', PUBLIC)
      expect(outcome).to.deep.equal({ whileQuiet: false, afterwards: true })
    })
  })
} else {
  process.stdout.write(
    `left out, missing ${missing}: addresses that a peer on the Internet names\n`,
  )
}
