import { join } from 'node:path'
import { buildAppFolders } from '../support/images/index.ts'
import { labMissing, runOk } from '../support/lab/index.ts'

const PROJECT = join(import.meta.dirname, '../..')
const IN_LAB = 'test/integration/images-in-lab.ts'
const RUN_MS_MAX = 180_000

const missing = await labMissing()
if (missing !== undefined) console.log(`left out: app images on Podman: ${missing}`)

describe('app images', () => {
  if (missing === undefined) {
    it('run on Podman in a lab node', async function () {
      this.timeout(4 * RUN_MS_MAX)
      // Before the lab, because its network has no way out.
      await buildAppFolders({ mode: 'real' })
      const mocha = [
        process.execPath,
        join(PROJECT, 'node_modules/mocha/bin/mocha.js'),
        ...['--no-config', '--bail', '--timeout', '60000', '--spec', IN_LAB],
      ]
      const lab = [process.execPath, 'test/support/lab/cli.ts', 'run', 'n1', 'origin', '--']
      await runOk([...lab, ...mocha], { cwd: PROJECT, timeoutMs: RUN_MS_MAX })
    })
  }
})
