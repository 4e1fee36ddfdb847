/** What an owner does with apps, and what happens to a machine: the nine states, every app at once on every node. */
import { COMPANION, type GateApp } from '../apps.ts'
import {
  expectAnswer,
  expectGone,
  expectRest,
  expectStopped,
  REST_TIMEOUT_MS,
  seenOf,
} from '../expect.ts'
import type { Machine } from '../machine.ts'
import type { GateRun } from '../run.ts'
import { STOP_MARGIN_MS, type StateId } from '../states.ts'

/** As configured for the nodes of the gate. */
export const RECONCILE_INTERVAL_S = 3
const RECONCILES = 10
/** A reconcile itself takes a while: ten of them end within this on a busy machine. */
const RECONCILES_MS = RECONCILES * RECONCILE_INTERVAL_S * 1000 * 1.5
/** For all apps of both nodes at the same time, each with several programs of Podman to be run. */
const TOGETHER_MARGIN_MS = 60_000
const WATCH_POLL_MS = 2000

/** A first install, or one after an uninstall: then its data is there again. */
export function install(state: 'install' | 'reinstall') {
  return async (run: GateRun): Promise<void> => {
    if (run.cells.iteration === 1 && state === 'install')
      await run.releases.publish(run.apps, 'good')
    await run.onAll(async machine => {
      await machine.refresh()
      await run.each(machine, state, run.apps, async app => {
        for (const need of app.needs) await expectRunning(machine, need)
        await machine.install(app.id)
        return await expectRest(run, machine, app, run.releases.newest(app))
      })
    })
  }
}

async function expectRunning(machine: Machine, id: string): Promise<void> {
  await machine.until(`${id} to run`, REST_TIMEOUT_MS, async () => {
    const view = await machine.view(id)
    return view?.state === 'running' ? { done: true } : { seen: seenOf(view) }
  })
}

/** The page as the other node sees it; that of an app which failed must not pretend. */
export async function page(run: GateRun): Promise<void> {
  await run.onAll(async machine => {
    await run.each(machine, 'ui', run.apps, async app => {
      const answer = await machine.fetch(app.port, app.path).catch(() => undefined)
      if (app.rests !== 'running') {
        if (answer?.status === 200) throw new Error('the page of a failed app answers')
        return 'no page, as expected'
      }
      if (answer?.status !== 200) throw new Error(`answered with ${answer?.status ?? 'nothing'}`)
      return undefined
    })
  })
}

/** One that must be killed is stopped while nothing else is done, so that its time is its own. */
export async function stop(run: GateRun): Promise<void> {
  const killed = run.apps.filter(({ stopNote }) => stopNote !== undefined)
  const others = run.apps.filter(app => !killed.includes(app))
  await run.onAll(async machine => {
    await run.each(machine, 'stop', killed, app => stopInTime(machine, app, STOP_MARGIN_MS))
    await run.each(machine, 'stop', others, app => stopInTime(machine, app, TOGETHER_MARGIN_MS))
  })
}

/** The time from the owner's word to the answer, which is given when nothing runs any more. */
async function stopInTime(machine: Machine, app: GateApp, marginMs: number): Promise<string> {
  const started = performance.now()
  await machine.act('stop', app.id)
  const ms = performance.now() - started
  await expectStopped(machine, app)
  const note = (await machine.view(app.id))?.note ?? ''
  if (app.stopNote?.test(note) === false) throw new Error(`its note is "${note}"`)
  const bound = app.graceMs + marginMs
  const measured = `in ${(ms / 1000).toFixed(1)} s of ${bound / 1000} s`
  if (ms > bound) throw new Error(`stopped ${measured}`)
  return measured
}

/** All are stopped now: so they stay, whatever happens, and nobody ever sees one of them in another state. */
export async function staysStopped(run: GateRun): Promise<void> {
  const stopped = run.apps.filter(({ id }) => id !== COMPANION)
  const companion = run.apps.filter(({ id }) => id === COMPANION)
  const watches = run.machines.map(machine => watch(machine, stopped))
  await run.onAll(async machine => {
    await new Promise(resolve => setTimeout(resolve, RECONCILES_MS))
    await machine.restartDaemon()
    await machine.node.reboot()
    await machine.ready()
    for (const app of companion) await machine.act('start', app.id)
  })
  await run.releases.publish(companion, 'good')
  await run.onAll(async machine => {
    await machine.refresh()
    for (const app of companion) await expectRest(run, machine, app, run.releases.newest(app))
  })
  const seen = await Promise.all(watches.map(each => each.end()))
  await run.onAll(async machine => {
    await run.each(machine, 'stays-stopped', stopped, async app => {
      const words = seen[run.machines.indexOf(machine)]?.get(app.id) ?? new Set()
      const others = [...words].filter(word => word !== 'stopped')
      if (others.length > 0) throw new Error(`was seen ${others.join(', ')}`)
      await expectStopped(machine, app)
      return undefined
    })
  })
}

/** Looks again and again at what the daemon says of the apps; a daemon that does not answer says nothing. */
function watch(machine: Machine, apps: readonly GateApp[]) {
  const seen = new Map(apps.map(app => [app.id, new Set<string>()]))
  let isOver = false
  async function look(): Promise<void> {
    while (!isOver) {
      for (const view of await machine.views().catch(() => [])) seen.get(view.id)?.add(view.state)
      await new Promise(resolve => setTimeout(resolve, WATCH_POLL_MS))
    }
  }
  const looking = look()
  return {
    async end(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
      isOver = true
      await looking
      return seen
    },
  }
}

export async function start(run: GateRun): Promise<void> {
  await run.onAll(async machine => {
    await run.each(machine, 'start', run.apps, async app => {
      await expectAnswer(app, machine.act('start', app.id))
      return await expectRest(run, machine, app, run.releases.newest(app))
    })
  })
}

export async function restart(run: GateRun): Promise<void> {
  await run.onAll(async machine => {
    await run.each(machine, 'restart', run.healthy, async app => {
      const before = await containersOf(machine, app)
      await machine.act('restart', app.id)
      await expectRest(run, machine, app, run.releases.newest(app))
      const same = (await containersOf(machine, app)).filter(id => before.includes(id))
      if (same.length > 0) throw new Error(`${same.length} containers are the same as before`)
      return undefined
    })
  })
}

async function containersOf(machine: Machine, app: GateApp): Promise<readonly string[]> {
  const { containers } = await machine.host()
  return containers.filter(each => each.app === app.id).map(({ id }) => id)
}

export async function daemon(run: GateRun): Promise<void> {
  await run.onAll(async machine => {
    const before = await machine.host()
    await machine.killDaemon()
    await machine.ready()
    await machine.restartDaemon()
    await run.each(machine, 'daemon', run.apps, async app => {
      const seen = await expectRest(run, machine, app, run.releases.newest(app))
      if (app.rests !== 'running') return seen
      const ids = before.containers.filter(each => each.app === app.id).map(({ id }) => id)
      const after = await containersOf(machine, app)
      const isSame = ids.length === after.length && ids.every(id => after.includes(id))
      if (!isSame) throw new Error('its containers are others than before')
      return seen
    })
  })
}

export async function reboot(run: GateRun): Promise<void> {
  await run.onAll(async machine => {
    await machine.node.reboot()
    await machine.ready()
    await run.each(machine, 'reboot', run.apps, app =>
      expectRest(run, machine, app, run.releases.newest(app)),
    )
  })
}

/** `clean` is the last one of an iteration: it leaves the node as it was found. */
export function uninstall(state: Extract<StateId, 'uninstall' | 'clean'>) {
  return async (run: GateRun): Promise<void> => {
    await run.onAll(async machine => {
      await run.each(machine, state, run.apps, async app => {
        const view = await machine.view(app.id)
        if (view !== undefined && view.state !== 'retained') await machine.uninstall(app.id)
        await expectGone(machine, app)
        return state === 'clean' ? seenOf(await machine.view(app.id)) : undefined
      })
    })
  }
}
