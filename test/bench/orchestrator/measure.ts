/** The measuring itself, on the network of the lab's origin: passes alone first, then the whole node as a service. */
import { join } from 'node:path'
import { silentLog } from '../../../src/core/log.ts'
import { serveOrigin } from '../../../src/http/origin-server.ts'
import { giveRoot, labConfig, runArchy, statusOf } from '../../support/archy-node.ts'
import type { TickCosts } from '../../support/bench/orchestrator-subject.ts'
import { buildAppFolders } from '../../support/images/index.ts'
import { attachLab, type LabNode } from '../../support/lab/index.ts'
import { runOrigin } from '../../support/origin.ts'
import { type Row, reportRows } from '../../support/report-rows.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { waitFor } from '../../support/wait-for.ts'
import { APPS, NODE, startFiftyApps } from './fifty-apps.ts'

const SUBJECT = '/opt/archy/test/support/bench/orchestrator-subject.ts'
const PORT = 8060
const CPU_MS_MAX = 50
const RSS_MIB_MAX = 200
const SUBJECT_TIMEOUT_MS = 120_000
/** The service looks this often, so that a short while has many passes. */
const INTERVAL_SECONDS = 1
const WATCHED_SECONDS = 20
const READY_TIMEOUT_MS = 60_000

interface Service {
  readonly cpuMs: number
  readonly rssMiB: number
  /** Page faults of children that ended: any program that it started and that ended has some. */
  readonly childFaults: number
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** From `/proc`: fields 11, 14 and 15 of `stat` (proc_pid_stat(5)), and `VmRSS`; clock ticks are 10 ms. */
async function readService(node: LabNode): Promise<Service> {
  const text = await node.ok(
    'pid=$(systemctl --user show -P MainPID archy); cat /proc/$pid/stat; grep VmRSS /proc/$pid/status',
  )
  const fields = text.slice(text.indexOf(') ') + 2).split(/\s+/)
  const field = (number: number): number => Number(fields[number - 3])
  const rssKib = Number(/VmRSS:\s+(\d+)/.exec(text)?.[1])
  return {
    cpuMs: (field(14) + field(15)) * 10,
    rssMiB: rssKib / 1024,
    childFaults: field(11),
  }
}

/** The node as its owner runs it, with an origin and a swarm. */
async function watchService(node: LabNode, originUrl: string): Promise<readonly Row[]> {
  const more = `orchestrator: {reconcileInterval: ${INTERVAL_SECONDS}s}`
  await runArchy(node, labConfig({ originUrl, more }))
  await waitFor('the node to know its apps', READY_TIMEOUT_MS, async () => {
    const { apps } = await statusOf(node)
    return apps.filter(({ state }) => state === 'running').length === APPS
  })
  // What a start begins, such as the first look at the catalog, is over after some passes.
  await settle(node)
  const before = await readService(node)
  await settle(node)
  const after = await readService(node)
  const perSecond = (after.cpuMs - before.cpuMs) / WATCHED_SECONDS
  const started = after.childFaults - before.childFaults
  return [
    {
      id: 'orchestrator.rss',
      must: `the whole node with ${APPS} apps takes at most ${RSS_MIB_MAX} MiB (RSS)`,
      measured: `${Math.round(after.rssMiB)} MiB, and ${Math.round(perSecond)} ms of CPU a second with a pass every second`,
      ok: after.rssMiB <= RSS_MIB_MAX,
    },
    {
      id: 'orchestrator.service-spawns',
      must: `the whole node starts no program in ${WATCHED_SECONDS} passes`,
      measured: `${started} page faults of ended children`,
      ok: started === 0,
    },
  ]
}

async function settle(node: LabNode): Promise<void> {
  await node.ok(['sleep', String(WATCHED_SECONDS)], { timeoutMs: 60_000 })
}

function tickRows({ apps, cpuMs, wallMs, spawned }: TickCosts): readonly Row[] {
  const cpu = median(cpuMs)
  const range = `${Math.min(...cpuMs).toFixed(1)}-${Math.max(...cpuMs).toFixed(1)}`
  return [
    {
      id: 'orchestrator.tick-cpu',
      must: `a pass over ${APPS} apps with nothing to do takes at most ${CPU_MS_MAX} ms of CPU (median)`,
      measured: `${cpu.toFixed(1)} ms (${range}, ${cpuMs.length} passes over ${apps} apps); ${median(wallMs).toFixed(0)} ms of time`,
      ok: apps === APPS && cpu <= CPU_MS_MAX,
    },
    {
      id: 'orchestrator.tick-spawns',
      must: 'no pass starts a program',
      measured: `${spawned} programs`,
      ok: spawned === 0,
    },
  ]
}

const lab = await attachLab()
const node = lab.node('n1')
await using folder = await makeTempFolder()
const apps = await buildAppFolders({ mode: 'real' })
const origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
const host = lab.ip('origin')
const server = await serveOrigin(origin.publicFolder, { host, port: PORT, log: silentLog })
say(`starting ${APPS} apps; a minute or two`)
await startFiftyApps(lab, node)
say('measuring passes')
const text = await node.ok([NODE, SUBJECT], { timeoutMs: SUBJECT_TIMEOUT_MS })
const costs = JSON.parse(text.split('\n').at(-1) ?? '') as TickCosts
say('measuring the whole node')
await giveRoot(node, origin.rootFile)
const service = await watchService(node, `http://${host}:${PORT}/`)
await server.close()
reportRows([...tickRows(costs), ...service])
