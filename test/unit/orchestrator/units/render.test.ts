import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkUnits } from '../../../../orchestrator/units/check.ts'
import { readUnit, valuesOf } from '../../../../orchestrator/units/file.ts'
import { renderApp } from '../../../../orchestrator/units/render.ts'
import { forRender, readForRender, renderInput } from '../../../support/orchestrator/manifest.ts'

const GOLDEN = 'fixtures/quadlet'
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
      const { quadlet, target } = renderApp(renderInput(await readForRender(file)))
      for (const unit of [...quadlet, target]) {
        await expectGolden(join(GOLDEN, name, unit.name), unit.text)
      }
    })

    it(`passes its own check for ${name}`, async () => {
      expect(checkUnits(renderApp(renderInput(await readForRender(file))))).to.deep.equal([])
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
    expect(render).to.throw(/needs Podman 5\.\d\.0; this machine has 5\.1\.2/)
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
