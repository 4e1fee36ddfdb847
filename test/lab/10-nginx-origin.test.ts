/** Any static web server can be the origin: here nginx serves the directory that the publisher made. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { archy, giveRoot, labConfig, runArchy, statusOf } from '../support/archy-node.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab } from '../support/lab/index.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8010

/** The whole configuration that a publisher needs: a root folder and an address. */
function nginxConfig(address: string, root: string, scratch: string): string {
  return `
    daemon off; pid ${scratch}/pid; worker_processes 1; user root;
    events { worker_connections 64; }
    http {
      access_log off;
      client_body_temp_path ${scratch}/t1; proxy_temp_path ${scratch}/t2; fastcgi_temp_path ${scratch}/t3;
      uwsgi_temp_path ${scratch}/t4; scgi_temp_path ${scratch}/t5;
      server { listen ${address}; root ${root}; }
    }`
}

async function startNginx(address: string, root: string, scratch: string): Promise<ChildProcess> {
  await mkdir(scratch, { recursive: true })
  const config = join(scratch, 'nginx.conf')
  await writeFile(config, nginxConfig(address, root, scratch))
  const child = spawn('nginx', ['-e', 'stderr', '-c', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await waitFor('nginx to answer', 10_000, async () => {
    const answer = await fetch(`http://${address}/catalog/1.root.json`).catch(() => undefined)
    return answer?.ok
  })
  return child
}

describe('10 an origin that is nginx', function () {
  this.timeout(240_000)

  it('serves the catalog and the blobs of an app that a node then runs', async () => {
    const lab = await attachLab()
    await using folder = await makeTempFolder()
    const apps = await buildAppFolders({ mode: 'real' })
    const origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
    const address = `${lab.ip('origin')}:${PORT}`
    const nginx = await startNginx(address, origin.publicFolder, join(folder.path, 'nginx'))
    const node = await lab.add('nginx1')
    try {
      await giveRoot(node, origin.rootFile)
      await runArchy(node, labConfig({ originUrl: `http://${address}/` }))
      await archy(node, 'app', 'install', 'hello-web')
      const page = await fetch(`http://${node.ip}:8080/version`)
      expect(await page.text()).to.include('1.0.0')
      expect((await statusOf(node)).swarm.totals.origin).to.be.greaterThan(100_000)
    } finally {
      await node.off()
      const ended = new Promise(resolve => nginx.once('exit', resolve))
      nginx.kill('SIGTERM')
      await ended
    }
  })
})
