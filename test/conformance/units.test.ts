/**
 * Checks unit files against what others say of them: the list of Quadlet keys by Podman version, and systemd itself.
 * Goal: a key that the floor does not know, or a unit that systemd complains about, fails here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { gte, lte } from 'semver'
import { renderServiceUnit } from '../../orchestrator/index.ts'
import { KEYS_SINCE, PODMAN_VERSION_FLOOR } from '../../orchestrator/units/keys.ts'

const KEY_LIST = new URL('../../../shared/cases/quadlet-keys-by-version.json', import.meta.url)
/** Older ones do not know `RestartSteps=`. */
const SYSTEMD_VERSION_MIN = 254
const systemdVersion = Number(
  /^systemd (\d+)/.exec(
    spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '',
  )?.[1] ?? 0,
)
const MISSING = [
  ...(existsSync(KEY_LIST) ? [] : ['../shared/cases/quadlet-keys-by-version.json']),
  ...(systemdVersion >= SYSTEMD_VERSION_MIN ? [] : [`systemd-analyze ${SYSTEMD_VERSION_MIN}`]),
]
if (MISSING.length > 0)
  console.log(`left out of the unit file tests, missing: ${MISSING.join(', ')}`)

/** Standard error of a check by systemd; empty when it has nothing to say. */
async function verify(
  name: string,
  text: string,
  beside: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-units-'))
  try {
    const path = join(folder, name)
    await writeFile(path, text)
    for (const [other, content] of Object.entries(beside)) {
      await writeFile(join(folder, other), content)
    }
    const environment = { ...process.env, XDG_RUNTIME_DIR: folder, HOME: folder }
    const args = ['verify', '--user', '--man=no', '--recursive-errors=no', path]
    return spawnSync('systemd-analyze', args, { encoding: 'utf8', env: environment }).stderr
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('unit files', () => {
  it('use only keys that the oldest supported Podman knows', () => {
    for (const [section, keys] of Object.entries(KEYS_SINCE)) {
      for (const [key, since] of Object.entries(keys)) {
        expect(lte(since, PODMAN_VERSION_FLOOR), `${section}.${key}`).to.equal(true)
      }
    }
  })

  if (existsSync(KEY_LIST)) {
    it('never claim a key for a Podman that is older than the key', async () => {
      const known: Record<string, Record<string, string[]>> = JSON.parse(
        await readFile(KEY_LIST, 'utf8'),
      )
      for (const [section, keys] of Object.entries(KEYS_SINCE)) {
        for (const [key, since] of Object.entries(keys)) {
          const versions = Object.entries(known[section] ?? {})
          const first = versions.find(([, names]) => names.includes(key))?.[0]
          expect(first, `${section}.${key}`).to.be.a('string')
          expect(gte(since, first ?? ''), `${section}.${key} since ${first}`).to.equal(true)
        }
      }
    })
  }

  it('of the node itself has its command filled in', () => {
    const paths = { node: '/usr/bin/node', main: '/opt/archy/src/main.ts', config: '/etc/a.yaml' }
    const command =
      '\nExecStart=/usr/bin/node --max-semi-space-size=2 /opt/archy/src/main.ts node run --config /etc/a.yaml\n'
    expect(renderServiceUnit(paths)).to.include(command)
    expect(() => renderServiceUnit({ ...paths, main: '/opt/my apps/main.ts' })).to.throw('my apps')
  })

  if (systemdVersion >= SYSTEMD_VERSION_MIN) {
    it('of the node itself pleases systemd', async () => {
      const unit = renderServiceUnit({ node: process.execPath, main: '/opt/archy/src/main.ts' })
      expect(await verify('archy.service', unit)).to.equal('')
    })
  }

  if (systemdVersion > 0) {
    it('of the daily stamp please systemd', async () => {
      const service = await readFile('systemd/archy-stamp.service', 'utf8')
      const timer = await readFile('systemd/archy-stamp.timer', 'utf8')
      expect(await verify('archy-stamp.service', service)).to.equal('')
      const beside = { 'archy-stamp.service': service }
      expect(await verify('archy-stamp.timer', timer, beside)).to.equal('')
    })

    it('of an app target pleases systemd', async () => {
      const text = await readFile('fixtures/quadlet/notes/app-notes.target', 'utf8')
      expect(await verify('app-notes.target', text)).to.equal('')
    })

    it('that are wrong are noticed by this very check', async () => {
      expect(
        await verify('bad.service', '[Service]\nExecStart=/bin/true\nNonsense=1\n'),
      ).to.include('Nonsense')
    })
  }
})
