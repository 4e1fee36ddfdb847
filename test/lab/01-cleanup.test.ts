/** Whatever kills a lab, nothing of it stays: a second lab is started beside the one of this test, and killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { findInit } from '../support/lab/enter.ts'
import { until } from '../support/lab/index.ts'
import { cgroupRoot, labCgroup, runFolder, runsFolder } from '../support/lab/paths.ts'
import { loopFiles } from '../support/lab/remains.ts'

const CLI = join(import.meta.dirname, '../support/lab/cli.ts')
const GONE_TIMEOUT_MS = 30_000
/** Writes a line once it runs, and never ends; leaves a child behind that has forgotten its parent. */
const COMMAND = ['sh', '-c', 'setsid sleep 86399 & echo running; sleep 86399; true']

interface Second {
  readonly child: ChildProcess
  readonly id: string
}

/** Starts `lab run n1 origin -- COMMAND`, and returns as soon as its run folder is there. */
async function startSecond(): Promise<Second> {
  const args = [CLI, 'run', 'n1', 'origin', '--', ...COMMAND]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const id = await until('the run folder of the second lab', 20_000, async () => {
    for (const name of await readdir(runsFolder())) {
      const owner = await readFile(join(runFolder(name), 'owner'), 'utf8').catch(() => '')
      if (owner.startsWith(`${child.pid} `)) return name
    }
    return undefined
  })
  return { child, id }
}

async function waitUntilRunning({ child }: Second): Promise<void> {
  if (child.stdout === null) throw new Error('the output of the second lab is not piped')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  expect(line).to.equal('running')
}

/** Everything on this machine that belongs to a lab, as lines to read. */
async function tracesOf(id: string): Promise<readonly string[]> {
  const folder = runFolder(id)
  const group = labCgroup(await cgroupRoot(), id)
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n')
  return [
    ...(await processesOf(id)),
    ...mounts.filter(line => line.includes(folder)).map(line => `mount ${line}`),
    ...(await loopFiles()).filter(file => file.startsWith(folder)).map(file => `loop ${file}`),
    ...(await readdir(group).catch(() => [])).slice(0, 1).map(() => `cgroup ${group}`),
    ...(await readdir(folder).catch(() => [])).slice(0, 1).map(() => `folder ${folder}`),
  ]
}

/** A process belongs to a lab when its command line, its environment, its cgroup or its mounts name it. */
async function processesOf(id: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const files = ['cmdline', 'environ', 'cgroup', 'mounts']
      const texts = files.map(name => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''))
      const [cmdline = '', ...rest] = await Promise.all(texts)
      const belongs = [cmdline, ...rest].some(text => text.includes(id))
      return belongs ? `process ${pid} ${cmdline.replaceAll('\0', ' ')}` : undefined
    }),
  )
  return found.filter(line => line !== undefined)
}

async function expectNothingLeft(id: string): Promise<void> {
  let traces: readonly string[] = []
  await until(`nothing of ${id} is left`, GONE_TIMEOUT_MS, async () => {
    traces = await tracesOf(id)
    return traces.length === 0
  }).catch(() => {})
  expect(traces).to.deep.equal([])
}

describe('a lab that is killed', () => {
  const started: ChildProcess[] = []

  async function second(): Promise<Second> {
    const made = await startSecond()
    started.push(made.child)
    return made
  }

  after(() => {
    for (const child of started) child.kill('SIGKILL')
  })

  it('is seen by this test while it runs', async () => {
    const lab = await second()
    await waitUntilRunning(lab)
    const kinds = new Set((await tracesOf(lab.id)).map(line => line.split(' ')[0]))
    expect([...kinds].sort()).to.deep.equal(['cgroup', 'folder', 'loop', 'process'])
    lab.child.kill('SIGKILL')
    await expectNothingLeft(lab.id)
  })

  it('leaves nothing when it is killed while its node boots', async () => {
    const lab = await second()
    await until('the node has a disk', 20_000, async () =>
      (await loopFiles()).some(file => file.startsWith(runFolder(lab.id))),
    )
    lab.child.kill('SIGKILL')
    await expectNothingLeft(lab.id)
  })

  it('leaves nothing when it is killed before it has namespaces', async () => {
    const lab = await second()
    lab.child.kill('SIGKILL')
    await expectNothingLeft(lab.id)
  })

  it('ends, with an error, when pid 1 of its namespaces is killed', async () => {
    const lab = await second()
    await waitUntilRunning(lab)
    const init = await findInit(labCgroup(await cgroupRoot(), lab.id))
    if (init === undefined) throw new Error('the second lab has no pid 1')
    process.kill(init, 'SIGKILL')
    const [code] = await once(lab.child, 'exit')
    expect(code).to.equal(1)
    await expectNothingLeft(lab.id)
  })

  it('ends its command and everything else on SIGTERM', async () => {
    const lab = await second()
    await waitUntilRunning(lab)
    lab.child.kill('SIGTERM')
    const [code] = await once(lab.child, 'exit')
    expect(code).to.equal(128 + 15)
    await expectNothingLeft(lab.id)
  })

  it('is swept by `lab gc` when its reaper was killed with it', async () => {
    const lab = await second()
    await waitUntilRunning(lab)
    const reapers = (await processesOf(lab.id)).filter(line => line.includes('reaper.ts'))
    expect(reapers).to.have.length(1)
    process.kill(Number(reapers[0]?.split(' ')[1]), 'SIGKILL')
    lab.child.kill('SIGKILL')
    await once(lab.child, 'exit')
    const gc = spawn(process.execPath, [CLI, 'gc'], { stdio: 'ignore' })
    expect((await once(gc, 'exit'))[0]).to.equal(0)
    await expectNothingLeft(lab.id)
  })

  it('returns the status of its command', async () => {
    const args = [CLI, 'run', 'origin', '--', 'sh', '-c', 'exit 42']
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    expect((await once(child, 'exit'))[0]).to.equal(42)
  })
})
