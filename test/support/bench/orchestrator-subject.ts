/** Passes over the apps of this node, each with its cost: one JSON line. Run on a lab node, where the apps are. */

import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createHost, createOrchestrator } from '../../../orchestrator/index.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { createLog } from '../../../src/core/log.ts'

export interface TickCosts {
  readonly apps: number
  /** Of each measured pass. */
  readonly cpuMs: readonly number[]
  readonly wallMs: readonly number[]
  /** Programs that the measured passes started. */
  readonly spawned: number
}

/** The node has made many passes before anybody looks. */
const WARMING = 10
const MEASURED = 20
const PAUSE_MS = 200

let spawned = 0
subscribe('child_process', () => {
  spawned++
})
const home = homedir()
const orchestrator = createOrchestrator(
  { ...createHost(), clock: systemClock, log: createLog('warn'), randomBytes },
  {
    stateFolder: join(home, '.local/state/archipelago/orchestrator'),
    dataFolder: join(home, '.local/share/archipelago/apps'),
    unitFolder: join(home, '.config/containers/systemd'),
    userUnitFolder: join(home, '.config/systemd/user'),
    mode: 'systemd',
  },
)
await orchestrator.open()
const { length: apps } = await orchestrator.apps()
const cpuMs: number[] = []
const wallMs: number[] = []
for (let pass = 0; pass < WARMING + MEASURED; pass++) {
  if (pass === WARMING) spawned = 0
  await systemClock.sleep(PAUSE_MS)
  const before = process.cpuUsage()
  const begun = performance.now()
  await orchestrator.reconcile()
  const { user, system } = process.cpuUsage(before)
  if (pass < WARMING) continue
  cpuMs.push((user + system) / 1000)
  wallMs.push(performance.now() - begun)
}
const costs: TickCosts = { apps, cpuMs, wallMs, spawned }
console.log(JSON.stringify(costs))
await orchestrator.close()
