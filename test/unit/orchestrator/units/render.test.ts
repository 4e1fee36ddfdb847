import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkUnits } from '../../../../orchestrator/units/check.ts'
import { renderedFiles } from '../../../../orchestrator/units/content.ts'
import { readUnit, valuesOf } from '../../../../orchestrator/units/file.ts'
import { renderApp } from '../../../../orchestrator/units/render.ts'
import { forRender, readForRender, renderInput } from '../../../support/orchestrator/manifest.ts'

const GOLDEN = 'fixtures/quadlet'
/** What the node would know of the odd app; its password comes from another app and is a secret. */
const ODD_VALUES = new Map([
  ['config.greeting', '100% $HOME'],
  ['needs.chain.host', 'node.app-chain-node'],
  ['needs.chain.port', '8332'],
  ['node.hostname', 'cellar'],
  ['node.tz', 'Europe/Vienna'],
  ['node.lan-address', '192.168.1.7'],
])

const CASES: Readonly<Record<string, string>> = {
  'hello-web': 'fixtures/apps/hello-web/archy.yaml',
  notes: 'fixtures/apps/notes/archy.yaml',
  odd: 'fixtures/quadlet/odd/archy.yaml',
}

/** `UPDATE_FIXTURES=1` writes what is rendered now; the difference is for a person to review. */
async function expectGolden(path: string, text: string): Promise<void> {
  if (process.env.UPDATE_FIXTURES === '1') {
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
  }
  expect(text, path).to.equal(await readFile(path, 'utf8'))
}

const APP = (components: string) => `
apiVersion: archy.app/v1
id: tiny
version: "1"
title: Tiny
secrets: { key: { generate: { kind: hex } } }
images: { a: { oci: a } }
components:
${components}`

function containerOf(components: string, name = 'web', over = {}) {
  const units = renderApp(renderInput(forRender(APP(components)), over))
  const file = units.quadlet.find(each => each.name === `app-tiny_${name}.container`)
  return readUnit(file?.text ?? '')
}

describe('renderApp', () => {
  for (const [name, file] of Object.entries(CASES)) {
    it(`renders ${name} byte for byte as reviewed`, async () => {
      const { quadlet, target } = renderApp(
        renderInput(await readForRender(file), { values: ODD_VALUES }),
      )
      for (const unit of [...quadlet, target]) {
        await expectGolden(join(GOLDEN, name, unit.name), unit.text)
      }
    })

    it(`passes its own check for ${name}`, async () => {
      const input = renderInput(await readForRender(file), { values: ODD_VALUES })
      expect(checkUnits(renderApp(input))).to.deep.equal([])
    })
  }

  it('never writes a value that holds a secret', () => {
    const sections = containerOf('  web: { image: a, env: { URL: "x:${secrets.key}@h" } }')
    expect(valuesOf(sections, 'Container', 'Environment')).to.deep.equal([])
    const [secret] = valuesOf(sections, 'Container', 'Secret')
    expect(secret).to.match(/^app-tiny_[0-9a-f]{16},type=env,target=URL$/)
  })

  it('names a secret after its template, so that another composition has another name', () => {
    const [a, b] = ['x${secrets.key}', 'y${secrets.key}'].map(
      text =>
        valuesOf(
          containerOf(`  web: { image: a, env: { U: "${text}" } }`),
          'Container',
          'Secret',
        )[0],
    )
    expect(a).to.not.equal(b)
  })

  it('orders by service names, because 5.4 ignores container names', () => {
    const sections = containerOf('  web: { image: a, dependsOn: { db: {} } }\n  db: { image: a }')
    expect(valuesOf(sections, 'Unit', 'After')).to.deep.equal(['app-tiny_db.service'])
    expect(valuesOf(sections, 'Unit', 'Wants')).to.deep.equal(['app-tiny_db.service'])
  })

  it('holds back what waits for the end of a job, and only that', () => {
    const app =
      '  web: { image: a, dependsOn: { db: {}, job: { condition: completed } } }\n  db: { image: a }\n  job: { image: a, role: job }'
    const web = containerOf(app)
    expect(valuesOf(web, 'Unit', 'Requires')).to.deep.equal(['app-tiny_job.service'])
    expect(valuesOf(web, 'Unit', 'Wants')).to.deep.equal(['app-tiny_db.service'])
    expect(valuesOf(web, 'Unit', 'After')).to.deep.equal([
      'app-tiny_job.service app-tiny_db.service',
    ])
    const job = containerOf(app, 'job')
    expect(valuesOf(job, 'Service', 'Type')).to.deep.equal(['oneshot'])
    expect(valuesOf(job, 'Service', 'RemainAfterExit')).to.deep.equal(['yes'])
    expect(valuesOf(job, 'Service', 'Restart')).to.deep.equal([])
    expect(
      valuesOf(job, 'Service', 'SuccessExitStatus'),
      'a job that was killed did not end well',
    ).to.deep.equal([])
  })

  it('lets no component start while its app is held', () => {
    const [condition] = valuesOf(containerOf('  web: { image: a }'), 'Unit', 'ConditionPathExists')
    expect(condition).to.equal('!/home/owner/state/hold/tiny')
  })

  it('publishes nothing on the network of the machine', () => {
    const sections = containerOf(
      '  web: { image: a, grants: { host-network: { why: to be found } } }',
    )
    expect(valuesOf(sections, 'Container', 'Network')).to.deep.equal(['host'])
    expect(valuesOf(sections, 'Container', 'PublishPort')).to.deep.equal([])
    expect(valuesOf(sections, 'Container', 'HostName')).to.deep.equal([])
  })

  it('cuts a component off that joins no network', () => {
    const sections = containerOf('  web: { image: a, networks: {} }')
    expect(valuesOf(sections, 'Container', 'Network')).to.deep.equal(['none'])
  })

  it('joins the network of another app by name, and only orders itself after that app', () => {
    const app = `  web: { image: a }\nneeds: { db: { app: postgres, export: sql } }`
    const sections = containerOf(app)
    expect(valuesOf(sections, 'Container', 'Network')).to.deep.equal([
      'app-tiny.network:alias=web',
      'app-postgres.export.sql',
    ])
    expect(valuesOf(sections, 'Unit', 'Wants')).to.deep.equal([
      'app-postgres.export.sql-network.service',
    ])
    expect(valuesOf(sections, 'Unit', 'After')[0]).to.include('app-postgres.target')
    expect(valuesOf(sections, 'Unit', 'Requires')).to.deep.equal([])
    const without = containerOf(app, 'web', { values: new Map([['needs.db', '']]) })
    expect(valuesOf(without, 'Container', 'Network')).to.deep.equal(['app-tiny.network:alias=web'])
  })

  it('writes words that the generator or systemd would swallow as variables of systemd', () => {
    const sections = containerOf('  web: { image: a, command: [a, "", ";", b] }')
    expect(valuesOf(sections, 'Container', 'Exec')).to.deep.equal([
      '"a" ${ARCHY_EMPTY} ${ARCHY_SEMICOLON} "b"',
    ])
    expect(valuesOf(sections, 'Service', 'Environment')).to.deep.equal([
      'ARCHY_EMPTY=',
      'ARCHY_SEMICOLON=;',
    ])
  })

  it('mounts files that it names, and makes secrets of those that hold one', () => {
    const app =
      '  web: { image: a, files: [{ path: /etc/x.conf, content: "i=${app.id}" }, { path: /etc/y, content: "${secrets.key}", mode: "0400" }] }'
    const sections = containerOf(app)
    const files = renderedFiles(forRender(APP(app)), new Map())
    expect(files).to.deep.equal([
      {
        component: 'web',
        name: 'web/0-x.conf',
        text: 'i=tiny',
        owner: { uid: 0, gid: 0 },
        mode: '0444',
      },
    ])
    expect(valuesOf(sections, 'Container', 'Volume')).to.deep.equal([
      '/home/owner/state/files/tiny/7/web/0-x.conf:/etc/x.conf:ro',
    ])
    expect(valuesOf(sections, 'Container', 'Secret')[0]).to.match(
      /,type=mount,target=\/etc\/y,uid=0,gid=0,mode=0400$/,
    )
  })

  it('names the variable that a setting of the owner makes impossible', () => {
    const values = new Map([['config.motd', 'two\nlines']])
    const app =
      '  web: { image: a, env: { MOTD: "${config.motd}" } }\nconfig: { motd: { type: string } }'
    expect(() => containerOf(app, 'web', { values }))
      .to.throw('components.web.env.MOTD holds a line break')
      .with.property('code', 'UNIT_VALUE_REFUSED')
  })

  it('refuses a unit that systemd could not read', () => {
    const long = `  web: { image: a, env: { ${Array.from({ length: 8 }, (_, i) => `A${i}: "${'%'.repeat(32_000)}"`).join(', ')} } }`
    expect(() => containerOf(long))
      .to.throw('app-tiny_web.container would have')
      .with.property('code', 'UNIT_VALUE_REFUSED')
  })

  it('gives systemd at least ten seconds more than the grace', () => {
    const sections = containerOf('  web: { image: a, stop: { grace: 2m } }')
    const [grace] = valuesOf(sections, 'Container', 'StopTimeout')
    const [limit] = valuesOf(sections, 'Service', 'TimeoutStopSec')
    expect(grace).to.equal('120')
    expect(Number(limit)).to.be.at.least(130)
  })

  it('never lets Podman itself set a limit, which fails where no controller is delegated', () => {
    const sections = containerOf(
      '  web: { image: a, resources: { memory: 1GiB, pids: 9, cpuPercent: 5 } }',
    )
    expect(valuesOf(sections, 'Container', 'PodmanArgs')).to.deep.equal([])
    expect(valuesOf(sections, 'Container', 'PidsLimit')).to.deep.equal([])
    expect(valuesOf(sections, 'Service', 'MemoryMax')).to.deep.equal([String(2 ** 30)])
    expect(valuesOf(sections, 'Service', 'TasksMax')).to.deep.equal(['9'])
    expect(valuesOf(sections, 'Service', 'CPUQuota')).to.deep.equal(['5%'])
  })

  it('drops every capability first', () => {
    const sections = containerOf('  web: { image: a }')
    expect(valuesOf(sections, 'Container', 'DropCapability')).to.deep.equal(['all'])
    expect(valuesOf(sections, 'Container', 'AddCapability')).to.deep.equal([])
    expect(valuesOf(sections, 'Container', 'NoNewPrivileges')).to.deep.equal(['true'])
  })

  it('refuses a Podman that would drop the unit silently', () => {
    const render = () => containerOf('  web: { image: a }', 'web', { podmanVersion: '5.1.2' })
    expect(render).to.throw(/needs Podman 5\.\d\.0 or newer, not 5\.1\.2/)
    expect(render).to.throw().with.property('code', 'PODMAN_TOO_OLD')
  })

  it('refuses a data folder whose name would be read as something else', () => {
    const render = () =>
      renderApp(
        renderInput(
          forRender(
            `${APP('  web: { image: a, mounts: [{ data: d, path: /d }] }')}\ndata: { d: {} }`,
          ),
          { dataFolder: '/srv/a:b' },
        ),
      )
    expect(render).to.throw().with.property('code', 'PATH_UNSUITABLE')
  })
})
