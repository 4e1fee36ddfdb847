/** The app images run on rootless Podman, confined as the orchestrator confines them. */
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseAuthorManifest } from '../../catalog/manifest/parse.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab, until } from '../support/lab/index.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
/** As the orchestrator runs them: no capability, no new privileges, nothing writable but mounts. */
const CONFINED =
  '--cap-drop=all --security-opt=no-new-privileges --read-only --init --user 999:999 --pull=never'

/** Ten times what the slowest first start took on two busy cores. */
const START_MS_MAX = 30_000

const lab = await attachLab()
const node = await lab.add('images1')
const apps = await buildAppFolders({ mode: 'real' })
const manifestPath = join(apps.folders.notes, 'archy.yaml')
const notes = parseAuthorManifest(await readFile(manifestPath, 'utf8'), manifestPath)

const idOf = (image: string) => apps.images[image]?.config.slice('sha256:'.length) ?? image
const get = (port: number, path = '/') =>
  fetch(`http://${node.ip}:${port}${path}`, { signal: AbortSignal.timeout(5_000) })
const post = (text: string) => fetch(`http://${node.ip}:8081/notes`, { method: 'POST', body: text })

function quoted(words: readonly string[] = []): string {
  return words.map(word => `'${word}'`).join(' ')
}

/** Waits until the health check of the component's manifest succeeds in its container. */
async function healthy(name: string): Promise<void> {
  const check = notes.components[name]?.health?.exec ?? []
  await until(`${name} is healthy`, START_MS_MAX, async () => {
    const { code } = await node.exec(['podman', 'exec', name, ...check])
    return code === 0
  })
}

describe('05 app images on Podman', function () {
  this.timeout(60_000)
  after(() => node.off())

  before(async () => {
    await cp(join(apps.folders.notes, '..'), join(lab.share, 'apps'), { recursive: true })
    await node.ok(`
      podman network create notes
      printf ${SECRET} | podman secret create db-password -
      mkdir -p data/db data/cache
      podman unshare chown 999:999 data/db data/cache
      podman unshare chmod 700 data/db data/cache`)
  })

  it('keep the image id and the manifest digest that the builder told', async () => {
    for (const [image, { config, manifest }] of Object.entries(apps.images)) {
      const [app, key] = image.split('/')
      const id = await node.ok(['podman', 'pull', '-q', `oci:/lab/apps/${app}/images/${key}`])
      const digest = await node.ok(`podman image inspect --format '{{.Digest}}' ${id}`)
      expect({ id: `sha256:${id}`, digest }, image).to.deep.equal({ id: config, digest: manifest })
    }
  })

  for (const [app, version] of [
    ['hello-web', '1.0.0'],
    ['hello-web-2', '2.0.0'],
  ] as const) {
    it(`${app} serves its version, logs it and ends at once when asked to`, async () => {
      await node.ok(`podman run -d --name hello ${CONFINED} -p 8080:8080 ${idOf(`${app}/web`)}`)
      const page = await until('the page', START_MS_MAX, async () => (await get(8080)).text())
      expect(page).to.contain(`version ${version}`)
      expect(await (await get(8080, '/version')).text()).to.equal(`${version}\n`)
      expect(await node.ok('podman logs hello 2>&1')).to.contain('url:/version')
      const started = performance.now()
      await node.ok('podman stop --time 20 hello')
      expect(performance.now() - started).to.be.lessThan(5_000)
      await node.ok('podman rm hello')
    })
  }

  describe('of notes', () => {
    const flags: Readonly<Record<string, string>> = {
      db: `--tmpfs /tmp:size=16m -v ./data/db:/var/lib/postgresql --stop-signal SIGINT
        --secret db-password,type=mount,target=/run/secrets/db-password,uid=999,gid=999,mode=0400
        -e POSTGRES_USER=notes -e POSTGRES_DB=notes
        -e POSTGRES_PASSWORD_FILE=/run/secrets/db-password`,
      cache: '-v ./data/cache:/data',
      web: `-p 8081:8080 -e REDIS_URL=redis://cache:6379/0
        -e 'DATABASE_URL=postgresql://notes:${SECRET}@db:5432/notes?sslmode=disable'`,
    }

    async function start(name: string): Promise<void> {
      const command = quoted(notes.components[name]?.command)
      const options = `${CONFINED} --network notes:alias=${name} ${flags[name]}`.replaceAll(
        '\n',
        ' ',
      )
      await node.ok(`podman run -d --name ${name} ${options} ${idOf(`notes/${name}`)} ${command}`)
    }

    it('make the database at the next start when the first one was killed half-way', async () => {
      await start('db')
      await until('initdb has begun', START_MS_MAX, async () => {
        const made = await node.ok('podman unshare ls data/db')
        return made.includes('data.new')
      })
      await node.ok('podman kill db && podman rm -f db')
      expect(await node.ok('podman unshare ls data/db')).to.equal('data.new')
      await start('db')
      await healthy('db')
      expect(await node.ok('podman unshare ls data/db')).to.equal('data')
    })

    it('keep a note in the database and count views in the cache', async () => {
      await start('cache')
      await healthy('cache')
      await start('web')
      await healthy('web')
      expect((await post('first <note>')).status).to.equal(201)
      const [note] = await (await get(8081, '/notes')).json()
      expect(note).to.include({ id: 1, text: 'first <note>' })
      await get(8081)
      const page = await (await get(8081)).text()
      expect(page).to.contain('<li>first &lt;note&gt;</li>').and.to.contain('Viewed 2 times')
    })

    it('refuse what is no note', async () => {
      const statuses = await Promise.all([
        post('').then(({ status }) => status),
        post('x'.repeat(10_001)).then(({ status }) => status),
        post('a\0b').then(({ status }) => status),
        get(8081, '/none').then(({ status }) => status),
      ])
      expect(statuses).to.deep.equal([413, 413, 400, 404])
    })

    it('say that a store is missing, and recover when it is back', async () => {
      expect((await get(8081, '/healthz')).status).to.equal(200)
      await node.ok('podman stop cache')
      const ill = await get(8081, '/healthz')
      expect(ill.status).to.equal(503)
      expect(await ill.json()).to.deep.equal({ failing: { cache: 'ConnectionError' } })
      await node.ok('podman start cache')
      await healthy('web')
    })

    it('end in order within their grace, and have the note after a new start', async () => {
      await node.ok('podman stop --time 20 web cache db')
      const exits = "podman ps -a --format '{{.Names}} {{.ExitCode}}' | sort"
      expect(await node.ok(exits)).to.equal('cache 0\ndb 0\nweb 0')
      expect(await node.ok('podman logs db 2>&1')).to.contain('fast shutdown')
      await node.ok('podman rm web cache db')
      for (const name of ['db', 'cache', 'web']) {
        await start(name)
        await healthy(name)
      }
      const [note] = await (await get(8081, '/notes')).json()
      expect(note).to.include({ text: 'first <note>' })
      expect(await (await get(8081)).text()).to.contain('Viewed 3 times')
    })
  })
})
