/** The machine as the installer sees and changes it. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathExists, writeFileAtomic } from '../../src/core/files.ts'
import { type Account, InstallerError } from './account.ts'
import { lingerMark, look } from './look.ts'
import type { Action, Situation } from './plan.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
/** A manager that has just been asked for takes a moment: ten seconds in all. */
const MANAGER_TRIES = 100
const MANAGER_RETRY_MS = 100

export interface Machine {
  look(): Promise<Situation>
  /** @throws InstallerError `INSTALLER_STEP_FAILED` */
  act(action: Action): Promise<void>
}

type Acts = {
  readonly [K in Action['kind']]: (action: Extract<Action, { kind: K }>) => Promise<void>
}

export function createMachine(account: Account, sleep: (ms: number) => Promise<void>): Machine {
  const acts = createActs(account, sleep)
  return {
    look: () => look(account),
    async act(action) {
      // The table has an entry for every kind; the compiler cannot see that the two belong together.
      await (acts[action.kind] as (action: Action) => Promise<void>)(action)
    },
  }
}

function createActs(account: Account, sleep: (ms: number) => Promise<void>): Acts {
  const { user, find, must, mustAs } = account
  return {
    'add-user': () => must('useradd', '--create-home', '--shell', '/bin/bash', user),
    async 'remove-user'() {
      const found = await find()
      if (found !== undefined) await must('systemctl', 'stop', `user@${found.uid}.service`)
      await must('userdel', '--remove', user)
    },
    'add-ids': ({ file, range }) => must('usermod', `--add-${file}s`, range, user),
    'remove-ids': ({ file, range }) => must('usermod', `--del-${file}s`, range, user),
    'set-linger': ({ on }) => setLinger(account, on, sleep),
    write: ({ path, text }) => writeFileAtomic(path, text),
    delete: ({ path }) => rm(path, { force: true }),
    sysctl: ({ key, value }) => must('sysctl', '--quiet', '--write', `${key}=${value}`),
    reload: () => must('systemctl', 'daemon-reload'),
    'set-socket': ({ on }) =>
      mustAs('systemctl', '--user', on ? 'enable' : 'disable', '--now', 'podman.socket'),
    async 'set-node'({ on }) {
      if (on) return await mustAs(process.execPath, MAIN, 'node', 'install')
      await mustAs('systemctl', '--user', 'disable', '--now', 'archy.service')
      const home = (await find())?.home ?? ''
      await mustAs('rm', '-f', join(home, '.config/systemd/user/archy.service'))
    },
  }
}

async function setLinger(
  { user, find, does, must }: Account,
  on: boolean,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const isDone = await does('loginctl', on ? 'enable-linger' : 'disable-linger', user)
  const mark = lingerMark(user)
  // Without udev, as in containers, loginctl refuses; the file is all that counts at the next boot.
  if (!isDone) await (on ? writeFileAtomic(mark, '') : rm(mark, { force: true }))
  const uid = (await find())?.uid
  if (!on || uid === undefined) return
  await must('systemctl', 'start', `user@${uid}.service`)
  for (let tries = 0; tries < MANAGER_TRIES; tries += 1) {
    if (await pathExists(`/run/user/${uid}/bus`)) return
    await sleep(MANAGER_RETRY_MS)
  }
  throw new InstallerError('INSTALLER_STEP_FAILED', `user@${uid}.service has no session bus`)
}
