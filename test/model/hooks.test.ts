/** Hooks of an app on the model machine: when each step runs, what a failure does, and what a crash in the middle leaves. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VerifiedRelease } from '../../catalog/index.ts'
import type { AppStatus, Orchestrator } from '../../orchestrator/index.ts'
import { codeOf } from '../../src/core/errors.ts'
import { ModelMachine } from '../support/orchestrator/model-host.ts'
import { modelRelease } from '../support/orchestrator/model-release.ts'

const manifest = (version: string, onError = 'fail'): string => `
apiVersion: archy.app/v1
id: duo
version: "${version}"
title: Duo
images: { a: { oci: a } }
secrets: { token: { generate: { kind: hex } } }
data: { db: {} }
components:
  web:
    image: a
    env: { TOKEN: "\${secrets.token}" }
    mounts: [{ data: db, path: /data }]
    ports: [{ container: 80, host: 8080 }]
    health: { http: { port: 8080 }, startBudget: 1m }
    stop: { grace: 5s }
hooks:
  preStart:
    - { render: { data: db, path: /etc/my.conf, content: "v\${app.version}\\n", overwrite: true } }
  postStart:
    - { name: admin, exec: { component: web, argv: [make, admin] }, runs: oncePerInstall }
    - { exec: { component: web, argv: [migrate] }, onError: ${onError} }
    - { exec: { component: web, argv: [greet] }, runs: always }
    - { copyIn: { component: web, from: /usr/share/theme, to: /data/theme } }
    - { waitFor: { http: { port: 8080 } } }
  preUpdate:
    - { exec: { component: web, argv: [dump] } }
  preStop:
    - { exec: { component: web, argv: [flush] }, runs: always }
`

describe('hooks', () => {
  let machine: ModelMachine
  let node: Orchestrator
  let v1: VerifiedRelease
  let v2: VerifiedRelease

  const status = async (): Promise<AppStatus> => {
    const [first] = await machine.do(() => node.apps())
    if (first === undefined) throw new Error('there is no app')
    return first
  }
  const failure = async (work: () => Promise<unknown>): Promise<string | undefined> =>
    await machine.do(work).then(() => undefined, codeOf)
  const release = (version: string, seq: number, onError?: string): VerifiedRelease =>
    modelRelease(join(machine.folder, 'releases'), manifest(version, onError), seq)
  /** Programs since it was asked last. */
  const ran = (): readonly string[] =>
    machine.storage.executed.splice(0).map(text => text.replace(/^cp .{4}:/, 'cp '))
  const answers = (command: string, code: number, output: string): unknown =>
    machine.storage.answers.set(command, { code, output })

  beforeEach(async () => {
    machine = new ModelMachine()
    v1 = release('1', 1)
    v2 = release('2', 2)
    machine.boot()
    node = await machine.startNode()
  })
  afterEach(() => machine.dispose())

  it('run once for the install, once for each version, or always, in their order', async () => {
    await machine.do(() => node.install(v1))
    const copied = 'cp /usr/share/theme app-duo_web:/data/theme'
    expect(ran()).to.deep.equal(['make admin', 'migrate', 'greet', copied])
    expect(readFileSync(join(machine.dataFolder, 'duo/db/etc/my.conf'), 'utf8')).to.equal('v1\n')
    await machine.do(() => node.restart('duo'))
    expect(ran()).to.deep.equal(['flush', 'greet'])
    await machine.do(() => node.install(v2))
    expect(ran()).to.deep.equal(['dump', 'flush', 'migrate', 'greet', copied])
    expect(readFileSync(join(machine.dataFolder, 'duo/db/etc/my.conf'), 'utf8')).to.equal('v2\n')
    await machine.do(() => node.uninstall('duo'))
    await machine.do(() => node.install(v2))
    expect(ran(), 'the data that they set up is still there').not.to.include('make admin')
  })

  it('that fail before an update leave everything as it is', async () => {
    await machine.do(() => node.install(v1))
    answers('dump', 3, 'no space')
    expect(await failure(() => node.install(v2))).to.equal('HOOK_FAILED')
    const after = await status()
    expect([after.version, after.state, after.health]).to.deep.equal(['1', 'running', 'healthy'])
    const [finding] = after.findings.filter(({ code }) => code === 'hook.failed')
    expect(finding?.evidence).to.include('no space')
    answers('dump', 0, '')
    await machine.do(() => node.install(v2))
    expect((await status()).findings.map(({ code }) => code)).not.to.include('hook.failed')
  })

  it('that fail after the start of a new version take it back', async () => {
    await machine.do(() => node.install(v1))
    answers('migrate', 1, 'boom')
    expect(await failure(() => node.install(v2))).to.equal('UPDATE_ROLLED_BACK')
    expect((await status()).version).to.equal('1')
  })

  it('that may fail only tell, and never a secret', async () => {
    const token = join(machine.folder, 'state/secrets/duo/token')
    await machine.do(() => node.install(v1))
    answers('migrate', 1, `cannot log in with ${readFileSync(token, 'utf8')}`)
    await machine.do(() => node.install(release('3', 3, 'warn')))
    const after = await status()
    expect([after.version, after.health]).to.deep.equal(['3', 'healthy'])
    const [finding] = after.findings.filter(({ code }) => code === 'hook.failed')
    expect(finding?.evidence).to.include('cannot log in with [secret]')
  })

  it('never keep an app from being stopped', async () => {
    await machine.do(() => node.install(v1))
    answers('flush', 1, 'no')
    await machine.do(() => node.stop('duo'))
    expect((await status()).state).to.equal('stopped')
  })

  it('run a step that was meant to run once at most twice after a crash at any moment, and tell it', async function () {
    this.timeout(60_000)
    let repeated = 0
    for (let index = 0; ; index += 1) {
      machine.dispose()
      machine = new ModelMachine()
      machine.boot()
      node = await machine.startNode()
      v1 = release('1', 1)
      v2 = release('2', 2)
      await machine.do(() => node.install(v1))
      ran()
      const missed = await machine.cutDuring(index, 'kill', () => node.install(v2))
      node = await machine.startNode()
      for (let pass = 0; pass < 4; pass += 1) {
        await machine.time.pass(15_000)
        await machine.do(() => node.reconcile())
      }
      const after = await status()
      const count = ran().filter(command => command === 'migrate').length
      expect(count, `cut before ${missed}`).to.be.at.most(2)
      expect(after.health, `cut before ${missed}`).to.equal('healthy')
      const isTold = after.findings.some(({ code }) => code === 'hook.repeated')
      if (count === 2) expect(isTold, `cut before ${missed}`).to.equal(true)
      if (isTold) repeated += 1
      if (missed === undefined) break
    }
    expect(repeated, 'some cut came in the middle of a step').to.be.greaterThan(0)
  })
})
