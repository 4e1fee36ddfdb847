import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Command } from 'commander'
import { addRenderCommand } from '../../../../src/commands/app-render.ts'

const MANIFEST = `
apiVersion: archy.app/v1
id: tiny
version: "1"
title: Tiny
config: { port: { type: port, default: 80 }, name: { type: string } }
images: { a: { oci: a } }
components:
  web:
    image: a
    command: [say, "it's", "", --x]
    env: { P: "\${config.port}", N: "\${config.name}", TZ: "\${node.tz}" }
`

describe('archy app render', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-render-'))
    await writeFile(join(folder, 'archy.yaml'), MANIFEST)
  })

  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  async function render(...args: readonly string[]): Promise<{ out: string; err: string }> {
    const said = { out: '', err: '' }
    const io = {
      stdout(text: string) {
        said.out += text
      },
      stderr(text: string) {
        said.err += text
      },
      isTty: false,
    }
    const command = new Command('app').exitOverride().configureOutput({ writeErr: () => {} })
    addRenderCommand(command, { io })
    for (const each of command.commands) each.exitOverride().configureOutput({ writeErr: () => {} })
    await command.parseAsync(['render', ...args], { from: 'user' })
    return said
  }

  it('prints the units of an app folder, with what only a node knows in brackets', async () => {
    const { out, err } = await render(folder)
    expect(out).to.include('# ==> app-tiny_web.container <==\n')
    expect(out).to.include(
      '\nEnvironment="N=<config.name>"\nEnvironment="P=80"\nEnvironment="TZ=<node.tz>"\n',
    )
    expect(out).to.include('# ==> app-tiny.target <==\n')
    expect(err).to.include('zeros stand for them')
  })

  it('prints the command of each service as a shell takes it', async () => {
    const { out } = await render(folder, '--argv')
    const command = out.split('# ==> app-tiny_web.service <==\n')[1] ?? ''
    expect(command).to.match(/^\/usr\/bin\/podman run \\\n {2}--name app-tiny_web \\\n/)
    expect(command).to.include(`\\\n  --env P=80 \\\n`)
    expect(command.trimEnd()).to.match(/0{64} say 'it'\\''s' '' \\\n {2}--x$/)
  })

  it('prints units and commands as JSON', async () => {
    const { out } = await render(folder, '--json', '--podman', '5.6.0')
    const value = JSON.parse(out)
    expect(value.podman).to.equal('5.6.0')
    expect(value.units.map(({ name }: { name: string }) => name)).to.deep.equal([
      'app-tiny.network',
      'app-tiny_web.container',
      'app-tiny.target',
    ])
    const [, web] = value.commands
    expect(web.argv.slice(-4)).to.deep.equal(['say', "it's", '', '--x'])
  })

  it('prints what differs from another manifest, and nothing for the same one', async () => {
    const other = join(folder, 'other.yaml')
    await writeFile(other, MANIFEST.replace('default: 80', 'default: 81'))
    const { out } = await render(other, '--diff', folder)
    expect(out).to.include('--- a/app-tiny_web.container\n+++ b/app-tiny_web.container\n')
    expect(out).to.include('\n-Environment="P=80"\n+Environment="P=81"\n')
    expect((await render(folder, '--diff', folder)).out).to.equal('')
    const { diff } = JSON.parse((await render(other, '--diff', folder, '--json')).out)
    expect(diff).to.equal(out)
  })

  for (const [what, args, code] of [
    ['a Podman that lacks a key', ['--podman', '5.2.0'], 'PODMAN_TOO_OLD'],
    ['a version that is none', ['--podman', 'new'], 'commander.invalidArgument'],
    ['a platform that is none', ['--platform', 'x86'], 'commander.invalidArgument'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await render(folder, ...args).catch((each: unknown) => each)
      expect(error).to.have.property('code', code)
    })
  }

  it('names a file that is not there, and mistakes with line and column', async () => {
    const missing = await render(join(folder, 'no.yaml')).catch((each: unknown) => each)
    expect(missing).to.have.property('code', 'MANIFEST_FILE_MISSING')
    await writeFile(join(folder, 'archy.yaml'), MANIFEST.replace('title:', 'titel:'))
    const wrong = await render(folder).catch((each: unknown) => each)
    expect(wrong)
      .to.have.property('problems')
      .that.satisfies((all: string[]) =>
        all.some(line => line.includes(`${join(folder, 'archy.yaml')}:5:1`)),
      )
  })
})
