/**
 * Apps that ran before the node did, on a real machine.
 * Goal: they are claimed without a restart, with their data and passwords; a take-over works, or all is as before.
 * Method: `podman run` by hand, a Quadlet file of somebody else, units of ours without their record.
 */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { AdoptionReport } from '../../orchestrator/index.ts'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { appViewOf, archy, giveRoot, labConfig, runArchy, statusOf } from '../support/archy-node.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab, type Lab, type LabNode } from '../support/lab/index.ts'
import { notesAt } from '../support/lab-notes.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8062
const READY_TIMEOUT_MS = 90_000
const PASSWORD = 'chosen-by-its-owner'
const MAIN = ['/opt/archy/node_modules/.bin/node', '/opt/archy/src/main.ts']
const STATE = '.local/state/archipelago/orchestrator'

/** As somebody typed it, or as Compose does: labels on one, a name on another, nothing on the third. */
const BY_HAND = `set -e
for c in db cache web; do podman tag $(podman pull -q oci:/lab/notes/images/$c) localhost/old-$c:1; done
podman network create old
mkdir -p old/pg && printf %s '${PASSWORD}' > old/password && chmod 644 old/password
podman unshare chown 999:999 old/pg && podman unshare chmod 700 old/pg
run() { podman run -d --restart=always --network=old --user=999:999 "$@"; }
run --name=pg --network-alias=db --label=com.docker.compose.project=notes \\
  --label=com.docker.compose.service=db -e POSTGRES_USER=notes -e POSTGRES_DB=notes \\
  -e POSTGRES_PASSWORD_FILE=/run/secrets/db-password -v $PWD/old/password:/run/secrets/db-password:ro \\
  -v $PWD/old/pg:/var/lib/postgresql --tmpfs=/tmp localhost/old-db:1
run --name=redis --network-alias=cache -v rdata:/data:U localhost/old-cache:1 \\
  --dir /data --appendonly yes --protected-mode no
run --name=frontend -p 8081:8080 -e REDIS_URL=redis://cache:6379/0 \\
  -e "DATABASE_URL=postgresql://notes:${PASSWORD}@db:5432/notes?sslmode=disable&gssencmode=disable" \\
  localhost/old-web:1
`
const PAGE = `[Container]
ContainerName=page
Image=localhost/page:1
Pull=never
PublishPort=8080:8080
[Service]
Restart=always
[Install]
WantedBy=default.target
`

describe('62 apps that ran before the node did', function () {
  this.timeout(300_000)
  let lab: Lab
  let folder: TempFolder
  let server: OriginServer
  let node: LabNode
  let notes: string

  before(async () => {
    lab = await attachLab()
    folder = await makeTempFolder()
    const { folders } = await buildAppFolders({ mode: 'real' })
    const notesApp = join(lab.share, 'notes')
    const page = join(lab.share, 'page')
    await cp(folders.notes, notesApp, { recursive: true, dereference: true })
    await cp(folders['hello-web'], page, { recursive: true, dereference: true })
    const change = async (app: string, act: (text: string) => string): Promise<void> => {
      const file = join(app, 'archy.yaml')
      await writeFile(file, act(await readFile(file, 'utf8')))
    }
    await change(notesApp, text => `${text}\nadopt: { cache: [redis] }\n`)
    // It runs, but never answers what this manifest asks for.
    await change(page, text =>
      `${text}\nadopt: { web: [page] }\n`
        .replace('path: /version', 'path: /there-is-no-such-page')
        .replace('startBudget: 1m', 'startBudget: 10s'),
    )
    const origin = await runOrigin(join(folder.path, 'origin'), notesApp, page)
    const host = lab.ip('origin')
    server = await serveOrigin(origin.publicFolder, { host, port: PORT, log: silentLog })
    node = await lab.add('adopt1')
    notes = `http://${node.ip}:8081/notes`
    await giveRoot(node, origin.rootFile)
    await runArchy(node, labConfig({ originUrl: `http://${host}:${PORT}/` }))
  })
  after(async () => {
    await node.off()
    await server.close()
    await folder[Symbol.asyncDispose]()
  })

  const viewOf = (id: string): Promise<AppView | undefined> => appViewOf(node, id)
  const adopt = async (...args: readonly string[]): Promise<AdoptionReport> =>
    JSON.parse(await archy(node, 'app', 'adopt', ...args, '--json')) as AdoptionReport
  /** Identity and start of every container: what a restart of any kind would change. */
  const lives = (): Promise<string> =>
    node.ok(
      "podman ps -aq | xargs podman inspect --format '{{.Id}} {{.State.StartedAt}} {{.State.Status}}' | sort",
    )
  const write = (text: string): Promise<void> => notesAt(notes).write(text)
  const readsBack = (text: string): Promise<void> => notesAt(notes).readsBack(text)

  it('claims three containers that were run by hand: none restarts, data and password stay', async () => {
    await node.ok(BY_HAND, { timeoutMs: 120_000 })
    await waitFor(
      'the app of before',
      READY_TIMEOUT_MS,
      async () => (await fetch(notes).catch(() => undefined))?.ok,
    )
    await write('older than the node')
    const before = await lives()
    const refused = await node.exec([...MAIN, 'app', 'adopt', 'notes'])
    expect(refused.stderr).to.match(
      /no container is known to be web; say which with --container web=CONTAINER.*ADOPTION_REFUSED/,
    )
    const dry = await adopt('notes', '--container', 'web=frontend', '--dry-run')
    expect(await viewOf('notes')).to.equal(undefined)
    const report = await adopt('notes', '--container', 'web=frontend')
    expect(report).to.deep.equal(dry)
    expect(report.containers.map(({ component, name }) => [component, name])).to.deep.equal([
      ['cache', 'redis'],
      ['db', 'pg'],
      ['web', 'frontend'],
    ])
    expect(report.secrets).to.deep.equal(['db-password'])
    expect(await node.ok(`cat ${STATE}/secrets/notes/db-password`)).to.equal(PASSWORD)
    expect(report.findings.map(({ code }) => code)).to.include.members([
      'adopt.rebootUnsafe',
      'adopt.volume',
    ])
    await node.ok('systemctl --user restart archy')
    const view = await viewOf('notes')
    expect([view?.state, view?.components?.map(({ state }) => state)]).to.deep.equal([
      'running',
      ['running', 'running', 'running'],
    ])
    expect(await lives()).to.equal(before)
    await readsBack('older than the node')
  })

  it('takes them over: units of the node run on the same data, the old containers wait aside', async () => {
    await archy(node, 'app', 'take-over', 'notes')
    const view = await viewOf('notes')
    expect([view?.state, view?.health, view?.adopted]).to.deep.equal([
      'running',
      'healthy',
      undefined,
    ])
    await readsBack('older than the node')
    await write('after the take-over')
    expect(await node.ok("podman ps -a --format '{{.Names}} {{.State}}' | sort")).to.equal(
      [
        'app-notes_cache running',
        'app-notes_db running',
        'app-notes_web running',
        'frontend.pre-takeover exited',
        'pg.pre-takeover exited',
        'redis.pre-takeover exited',
      ].join('\n'),
    )
    const policies = await node.ok(
      "podman inspect --format '{{.HostConfig.RestartPolicy.Name}}' pg.pre-takeover frontend.pre-takeover",
    )
    expect(policies).to.equal('no\nno')
    expect(await node.ok('readlink .local/share/archipelago/apps/notes/db')).to.equal(
      '/home/archy/old/pg',
    )
  })

  it('survives a reboot with the new units alone', async () => {
    await node.reboot()
    await readsBack('after the take-over')
    expect(await node.ok("podman ps --format '{{.Names}}' | sort")).to.equal(
      ['app-notes_cache', 'app-notes_db', 'app-notes_web'].join('\n'),
    )
  })

  it('finds units of its own whose record was lost: nothing restarts, the password is the same', async () => {
    await waitFor('the node', READY_TIMEOUT_MS, () => statusOf(node).catch(() => undefined))
    await node.ok(`systemctl --user stop archy; rm -rf ${STATE}`)
    const before = await lives()
    await node.ok('systemctl --user start archy', { timeoutMs: 120_000 })
    await waitFor(
      'the app',
      READY_TIMEOUT_MS,
      async () => (await viewOf('notes'))?.state === 'running',
    )
    expect(await node.ok(`cat ${STATE}/secrets/notes/db-password`)).to.equal(PASSWORD)
    await archy(node, 'app', 'list')
    expect(await lives()).to.equal(before)
    await readsBack('after the take-over')
  })

  it('claims what a Quadlet file of somebody else runs, and puts it back when a take-over fails', async () => {
    await node.ok('podman tag $(podman pull -q oci:/lab/page/images/web) localhost/page:1')
    await node.write('.config/containers/systemd/page.container', PAGE)
    await node.ok('systemctl --user daemon-reload; systemctl --user start page', {
      timeoutMs: 60_000,
    })
    const before = await lives()
    const report = await adopt('hello-web')
    expect(report.containers).to.deep.equal([
      { component: 'web', name: 'page', unit: 'page.service' },
    ])
    expect(await lives()).to.equal(before)
    const failed = await node.exec([...MAIN, 'app', 'take-over', 'hello-web'], {
      timeoutMs: 200_000,
    })
    expect([failed.code, failed.stderr]).to.satisfy(
      ([code, stderr]: [number, string]) =>
        code === 1 && /runs as before.*TAKE_OVER_FAILED/.test(stderr),
    )
    await waitFor('page.service to be up again', READY_TIMEOUT_MS, async () => {
      const { stdout } = await node.exec(['systemctl', '--user', 'is-active', 'page'])
      return stdout.trim() === 'active'
    })
    expect(await node.ok('ls .config/containers/systemd')).to.not.include('pre-takeover')
    expect((await fetch(`http://${node.ip}:8080/version`)).status).to.equal(200)
    const view = await viewOf('hello-web')
    expect([view?.adopted?.containers, view?.error?.code]).to.deep.equal([
      ['page'],
      'TAKE_OVER_FAILED',
    ])
    expect(
      await node.ok("podman ps -a --format '{{.Names}}' | grep -c hello-web || true"),
    ).to.equal('0')
    await archy(node, 'app', 'adopt', 'hello-web', '--undo')
    expect(await viewOf('hello-web')).to.equal(undefined)
    expect((await fetch(`http://${node.ip}:8080/version`)).status).to.equal(200)
  })
})
