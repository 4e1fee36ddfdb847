/** Goes through all stages on the nodes of the lab that this process runs in. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/core/errors.ts'
import { giveRoot, labConfig, runArchy } from '../support/archy-node.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab } from '../support/lab/index.ts'
import { gateApps } from './apps.ts'
import { Cells } from './cells.ts'
import { Machine } from './machine.ts'
import { Releases } from './releases.ts'
import type { Outcome } from './report.ts'
import { GateRun } from './run.ts'
import { STAGES } from './stages/index.ts'
import { RECONCILE_INTERVAL_S } from './stages/owner.ts'
import { STATES, type StateId } from './states.ts'

const NODES = ['n1', 'n2'] as const
const JOURNAL_LINES = 40

export interface GateOptions {
  readonly iterations: number
  /** Ids; all apps when there is none. */
  readonly apps: readonly string[]
  /** Only these, and what they need to find: for work on the gate itself. */
  readonly states: readonly string[]
}

export async function playGate(
  options: GateOptions,
  say: (line: string) => void,
): Promise<Outcome> {
  const lab = await attachLab()
  const { folders } = await buildAppFolders({ mode: 'real', onProgress: say })
  const apps = await gateApps(folders, options.apps)
  // In the lab's own folder, which goes with the lab however it ends.
  const folder = join(lab.share, 'gate')
  await mkdir(folder)
  await using releases = await Releases.open({ folder, folders, host: lab.ip('origin') })
  const [n1, n2] = NODES.map(name => lab.node(name))
  if (n1 === undefined || n2 === undefined) throw new Error('the lab has not both nodes')
  const machines = [new Machine(n1, n2), new Machine(n2, n1)]
  const cells = new Cells(say)
  const run = new GateRun({ machines, apps, releases, cells, say })
  await run.onAll(async ({ node }) => {
    await giveRoot(node, releases.rootFile)
    const more = `orchestrator: {reconcileInterval: ${RECONCILE_INTERVAL_S}s}`
    await runArchy(node, labConfig({ originUrl: releases.url, more }))
  })
  const iterationMs: number[] = []
  const broken: string[] = []
  for (let iteration = 1; iteration <= options.iterations; iteration++) {
    cells.iteration = iteration
    const started = performance.now()
    broken.push(...(await playIteration(run, options.states)))
    iterationMs.push(performance.now() - started)
    say(`iteration ${iteration}: ${((performance.now() - started) / 60_000).toFixed(1)} min`)
  }
  const ids = apps.map(({ id }) => id)
  const { iterations } = options
  const isWhole = options.apps.length + options.states.length === 0
  const found = { cells: cells.all, iterationMs, broken }
  return { ...found, nodes: NODES, apps: ids, iterations, isWhole }
}

/** Resolves to the stages that could not be gone through, with the reason. */
async function playIteration(run: GateRun, only: readonly string[]): Promise<readonly string[]> {
  const broken: string[] = []
  for (const state of Object.keys(STATES) as StateId[]) {
    if (only.length > 0 && !only.includes(state)) continue
    const before = run.cells.all.length
    const started = performance.now()
    run.say(`--- ${state}`)
    try {
      await STAGES[state](run)
    } catch (error) {
      // A node that is not there any more: the next stages may find it again, and this one counts as failed.
      broken.push(`${state} was not gone through: ${messageOf(error)}`)
      run.say(`BROKEN ${state}: ${messageOf(error)}`)
    }
    run.say(`--- ${state}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
    const failed = run.cells.all.slice(before).filter(({ ok }) => !ok)
    for (const node of new Set(failed.map(cell => cell.node))) await tell(run, node)
  }
  return broken
}

/** What the daemon of a node wrote last, for whoever looks into a failure. */
async function tell(run: GateRun, name: string): Promise<void> {
  const node = run.machines.find(machine => machine.name === name)?.node
  const text = await node?.journal('archy').catch(messageOf)
  // Programs that the daemon runs write to its journal too: its own lines are JSON.
  const own = (text ?? '').split('\n').filter(line => line.startsWith('{'))
  const lines = own.slice(-JOURNAL_LINES)
  for (const line of lines) run.say(`    ${name} ${line}`)
}
