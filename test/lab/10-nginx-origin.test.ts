/** Any static web server can be the origin: here Debian's nginx, on a node of its own, serves what the publisher made. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { archy, giveRoot, labConfig, runArchy, statusOf } from '../support/archy-node.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab } from '../support/lab/index.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

/** All that a publisher has to tell nginx: the folder and the port. */
const NGINX_CONFIG = `
events { worker_connections 64; }
http { access_log off; server { listen 80; root /srv/origin; } }
`

describe('10 an origin that is nginx', function () {
  this.timeout(240_000)

  it('serves the catalog and the blobs of an app that a node then runs', async () => {
    const lab = await attachLab()
    await using folder = await makeTempFolder()
    const apps = await buildAppFolders({ mode: 'real' })
    const origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
    await cp(origin.publicFolder, join(lab.share, 'nginx-origin'), { recursive: true })

    const web = await lab.add('web1')
    const asRoot = { user: 'root' } as const
    await web.ok('cp -r /lab/nginx-origin /srv/origin && chmod -R a+rX /srv/origin', asRoot)
    await web.write('/etc/nginx/nginx.conf', NGINX_CONFIG, asRoot)
    await web.ok('systemctl unmask nginx && systemctl start nginx', asRoot)
    const originUrl = `http://${web.ip}/`
    await waitFor('nginx to answer', 10_000, async () => {
      const answer = await fetch(`${originUrl}catalog/1.root.json`).catch(() => undefined)
      return answer?.ok
    })

    const node = await lab.add('behind1')
    await giveRoot(node, origin.rootFile)
    await runArchy(node, labConfig({ originUrl }))
    await archy(node, 'app', 'install', 'hello-web')
    const page = await fetch(`http://${node.ip}:8080/version`)
    expect(await page.text()).to.include('1.0.0')
    expect((await statusOf(node)).swarm.totals.origin).to.be.greaterThan(100_000)
    await Promise.all([web.off(), node.off()])
  })
})
