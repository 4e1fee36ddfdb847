/** Operations that are cut in the middle, by the death of the daemon or of the machine: they end as if nothing had been. */
import type { GateApp } from '../apps.ts'
import { expectAnswer, expectGone, expectRest, expectStopped } from '../expect.ts'
import type { Machine } from '../machine.ts'
import type { GateRun } from '../run.ts'
import { NOT_UNDER_WAY, type StateId } from '../states.ts'

type Cut = 'kill' | 'cut'

interface Operation {
  readonly cut: Cut
  /** Another moment for each operation, node and iteration. */
  readonly step: number
  /** How many times longer than a stop it takes. */
  readonly stretch?: number
  /** A new version of every app that runs is published first. */
  readonly isUpdate?: true
  /** Asks for the operation; may be asked twice. */
  ask(machine: Machine, app: GateApp): Promise<unknown>
  /** What must be true in the end. */
  expect(run: GateRun, machine: Machine, app: GateApp): Promise<unknown>
}

/**
 * Asks for the operation on the apps of the node's share, updates on all, at once, and cuts it. An operation that was in the journal must end by itself; one that
 * had not begun, or was not asked for yet, is asked for again, as an owner would.
 */
function interrupted(state: StateId, { cut, step, stretch = 1, isUpdate, ask, expect }: Operation) {
  return async (run: GateRun): Promise<void> => {
    if (isUpdate) await run.releases.publish(run.healthy, 'good')
    await run.onAll(async machine => {
      const apps = isUpdate ? run.healthy : run.share(machine)
      const asked = apps.map(app =>
        ask(machine, app).then(
          () => true,
          () => false,
        ),
      )
      const pauseMs = run.pauseMs(machine, step, stretch)
      const midway = await machine.midway(apps.length, pauseMs, cut === 'kill')
      if (cut === 'cut') {
        await machine.node.powerCut()
        await machine.node.boot()
      }
      const answers = await Promise.all(asked)
      await machine.ready()
      await run.each(machine, state, apps, async app => {
        const phase = midway.get(app.id)
        const isRefused = phase === undefined && answers[apps.indexOf(app)] === false
        if (isRefused) await expectAnswer(app, ask(machine, app))
        await expect(run, machine, app)
        return phase === undefined ? NOT_UNDER_WAY : `in ${phase}, ${pauseMs} ms after all began`
      })
    })
  }
}

const rests = (run: GateRun, machine: Machine, app: GateApp): Promise<unknown> =>
  expectRest(run, machine, app, run.releases.newest(app))
const isStopped = (_: GateRun, machine: Machine, app: GateApp): Promise<unknown> =>
  expectStopped(machine, app)
const isGone = (_: GateRun, machine: Machine, app: GateApp): Promise<unknown> =>
  expectGone(machine, app)

const asStop = (machine: Machine, app: GateApp): Promise<unknown> => machine.act('stop', app.id)
const asStart = (machine: Machine, app: GateApp): Promise<unknown> => machine.act('start', app.id)
const asRestart = (machine: Machine, app: GateApp): Promise<unknown> =>
  machine.act('restart', app.id)
const asInstall = (machine: Machine, app: GateApp): Promise<unknown> => machine.install(app.id)
const asUpdate = (machine: Machine): Promise<unknown> => machine.refresh()

async function asUninstall(machine: Machine, app: GateApp): Promise<void> {
  const view = await machine.view(app.id)
  if (view !== undefined && view.state !== 'retained') await machine.uninstall(app.id)
}

/** By state: how each is asked for, and what it must end as. */
export const INTERRUPTIONS = {
  'kill-stop': interrupted('kill-stop', { cut: 'kill', step: 0, ask: asStop, expect: isStopped }),
  'kill-start': interrupted('kill-start', { cut: 'kill', step: 1, ask: asStart, expect: rests }),
  'kill-restart': interrupted('kill-restart', {
    ...{ cut: 'kill', step: 2, ask: asRestart, expect: rests },
  }),
  'kill-update': interrupted('kill-update', {
    ...{ cut: 'kill', stretch: 5, step: 3, ask: asUpdate, expect: rests, isUpdate: true },
  }),
  'cut-update': interrupted('cut-update', {
    ...{ cut: 'cut', stretch: 5, step: 4, ask: asUpdate, expect: rests, isUpdate: true },
  }),
  'kill-uninstall': interrupted('kill-uninstall', {
    ...{ cut: 'kill', step: 5, ask: asUninstall, expect: isGone },
  }),
  'kill-install': interrupted('kill-install', {
    ...{ cut: 'kill', stretch: 5, step: 6, ask: asInstall, expect: rests },
  }),
  'cut-uninstall': interrupted('cut-uninstall', {
    ...{ cut: 'cut', step: 7, ask: asUninstall, expect: isGone },
  }),
  'cut-install': interrupted('cut-install', {
    ...{ cut: 'cut', stretch: 5, step: 8, ask: asInstall, expect: rests },
  }),
} as const
