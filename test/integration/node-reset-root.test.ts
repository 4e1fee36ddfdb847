/** A node whose publisher lost the root: it begins with another one when its owner says so twice, and only then. */
import { createHash } from 'node:crypto'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { serveOrigin } from '../../src/http/origin-server.ts'
import { NodeProcess } from '../support/node-process.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 30_000

describe('another root for a node', () => {
  it('takes two confirmations and a node that is stopped', async () => {
    await using folder = await makeTempFolder()
    const old = await runOrigin(join(folder.path, 'old'))
    const next = await runOrigin(join(folder.path, 'next'))
    const server = await serveOrigin(next.publicFolder, {
      host: '127.0.0.1',
      port: 0,
      log: silentLog,
    })
    await using node = await NodeProcess.make()
    try {
      await cp(old.rootFile, join(node.folder, 'config/archipelago/root.json'))
      await node.configure(
        `network: reset\norigin: {urls: [${JSON.stringify(server.url)}]}\nswarm: {listen: [/ip4/127.0.0.1/tcp/0]}\norchestrator: {mode: render}\n`,
      )
      await node.start()
      await waitFor('the refusal', TIMEOUT_MS, async () => {
        const { error } = (await node.status()).catalog.origin
        return error?.code === 'SIGNATURE_THRESHOLD' ? error : undefined
      })
      expect((await node.run(['status'])).stdout).to.include(
        'ALARM: the origin serves invalid data',
      )
      const sha256 = createHash('sha256')
        .update(await readFile(next.rootFile))
        .digest('hex')
      const reset = (...more: readonly string[]) =>
        node.run(['node', 'reset-root', next.rootFile, ...more])
      const yes = ['--sha256', sha256, '--forget-catalog']
      expect((await reset('--sha256', 'ab'.repeat(32), '--forget-catalog')).stderr).to.match(
        /has the SHA-256/,
      )
      expect((await reset('--sha256', sha256)).stderr).to.include('--forget-catalog')
      expect((await reset(...yes)).stderr).to.match(/the node runs.*RESET_REFUSED/)
      await node.end('SIGTERM')
      expect((await reset(...yes)).code).to.equal(0)
      await node.start()
      await waitFor('the new catalog', TIMEOUT_MS, async () => {
        const { catalog } = await node.status()
        return catalog.freshness === 'fresh' ? catalog : undefined
      })
    } finally {
      await server.close()
    }
  })
})
