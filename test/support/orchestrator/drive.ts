/** Drives a real orchestrator from the command line of a lab node: one verb, then one JSON line. For lab tests. */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createHost, createOrchestrator, type Orchestrator } from '../../../orchestrator/index.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { codeOf, messageOf } from '../../../src/core/errors.ts'
import { createLog } from '../../../src/core/log.ts'
import { openBlobStore } from '../../../swarm/store/open.ts'
import { makeRelease } from './release.ts'

const home = homedir()
const work = join(home, 'drive')
const log = createLog('info')

/** `install FOLDER SEQ [FROM TO]`: `FROM` in the manifest is replaced by `TO`. */
async function install(orchestrator: Orchestrator, args: readonly string[]): Promise<unknown> {
  const [appFolder = '', seq = '1', from, to] = args
  await using store = await openBlobStore(
    { folder: join(work, 'store'), clock: systemClock, log },
    { minFreeBytes: 0 },
  )
  const release = await makeRelease({
    appFolder,
    workFolder: work,
    store,
    seq: Number(seq),
    ...(from === undefined ? {} : { change: text => text.replaceAll(from, to ?? '') }),
  })
  const onProgress = (step: string): void => log.info('progress', { step })
  return await orchestrator.install(release, { onProgress })
}

type Verb = (orchestrator: Orchestrator, args: readonly string[]) => Promise<unknown>
const VERBS: Readonly<Record<string, Verb>> = {
  install,
  start: (orchestrator, [id = '']) => orchestrator.start(id),
  stop: (orchestrator, [id = '']) => orchestrator.stop(id),
  restart: (orchestrator, [id = '']) => orchestrator.restart(id),
  uninstall: (orchestrator, [id = '']) => orchestrator.uninstall(id),
  apps: orchestrator => orchestrator.apps(),
  logs: (orchestrator, [id = '']) => orchestrator.logs(id, 20),
  reconcile: orchestrator => orchestrator.reconcile(),
  /** Waits until everything that was interrupted is finished. */
  async settle(orchestrator) {
    for (;;) {
      const apps = await orchestrator.apps()
      if (apps.every(({ state }) => /^(running|stopped|failed|retained)$/.test(state))) return apps
      await systemClock.sleep(200)
    }
  },
}

const [verb = '', ...args] = process.argv.slice(2)
await mkdir(work, { recursive: true })
const orchestrator = createOrchestrator(
  { ...createHost(), clock: systemClock, log, randomBytes },
  {
    stateFolder: join(home, '.local/state/archipelago/orchestrator'),
    dataFolder: join(home, '.local/share/archipelago/apps'),
    unitFolder: join(home, '.config/containers/systemd'),
    userUnitFolder: join(home, '.config/systemd/user'),
    mode: 'systemd',
  },
)
await orchestrator.open()
try {
  const value = await VERBS[verb]?.(orchestrator, args)
  console.log(JSON.stringify({ ok: true, value }))
} catch (error) {
  console.log(JSON.stringify({ ok: false, code: codeOf(error), message: messageOf(error) }))
} finally {
  await orchestrator.close()
}
