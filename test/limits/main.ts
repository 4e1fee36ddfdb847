/**
 * `npm run test:limits`: the limits of our units on a machine that enforces them. Most machines of tests delegate no
 * controller, so it runs in User-Mode Linux; a minute, and no rights beyond those of the lab.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/core/errors.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { ensureLabPackages, labMissing } from '../support/lab/index.ts'
import { type Row, reportRows } from '../support/report-rows.ts'
import { makeTempFolder } from '../support/temp-folder.ts'
import { buildUmlImage, type UmlImage } from '../support/uml/image.ts'
import { runInUml } from '../support/uml/run.ts'
import { LIMITS, renderLimitsApp } from './app.ts'
import { SCRIPT } from './script.ts'

/** As `npm run lab -- doctor` has it: nothing was tried, and the line before says why. */
const EXIT_MISSING = 77
/** Half a minute on a quiet machine; it is an emulation, on a machine that runs other tests. */
const RUN_TIMEOUT_MS = 600_000
const MEMORY = '1500M'
const MIB = 2 ** 20
/** What a shell says of a program that SIGKILL ended. */
const EXIT_KILLED = 137

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function prepare(): Promise<UmlImage | undefined> {
  await ensureLabPackages()
  const missing = await labMissing()
  if (missing !== undefined) {
    say(`Left out: the test of limits. Missing: ${missing}`)
    return undefined
  }
  try {
    return await buildUmlImage(say)
  } catch (error) {
    const what = 'the Debian package user-mode-linux cannot be had'
    say(`Left out: the test of limits. Missing: ${what}: ${messageOf(error)}`)
    return undefined
  }
}

async function writePayload(folder: string): Promise<void> {
  const apps = await buildAppFolders({ mode: 'real', onProgress: say })
  const id = apps.images['hello-web/web']?.config.replace('sha256:', '') ?? ''
  const { quadlet, target } = renderLimitsApp(id)
  for (const name of ['quadlet', 'user']) await mkdir(join(folder, name))
  for (const { name, text } of quadlet) await writeFile(join(folder, 'quadlet', name), text)
  await writeFile(join(folder, 'user', target.name), target.text)
  await cp(join(apps.folders['hello-web'], 'images/web'), join(folder, 'image'), {
    recursive: true,
  })
  await writeFile(join(folder, 'run.sh'), SCRIPT)
}

/** The lines `limits NAME=VALUE` of the script. */
function findingsIn(output: string): ReadonlyMap<string, string> {
  return new Map(
    [...output.matchAll(/^limits ([\w.]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )
}

function rowsOf(found: ReadonlyMap<string, string>): readonly Row[] {
  const text = (name: string): string => found.get(name) ?? 'nothing'
  const number = (name: string): number => Number(found.get(name) || Number.NaN)
  const { memoryMiB, pids, cpuPercent } = LIMITS
  const bytes = memoryMiB * MIB
  return [
    {
      id: 'limits.controllers',
      must: 'the machine delegates cpu, memory and pids',
      measured: text('controllers'),
      ok: ['cpu', 'memory', 'pids'].every(name => text('controllers').split(' ').includes(name)),
    },
    {
      id: 'limits.memory',
      must: `16 MiB fit, 200 MiB are killed at ${memoryMiB} MiB, and the component goes on`,
      measured: `16 MiB: ${text('small')}, 200 MiB: ${text('large')}, peak ${text('memory.peak')} of ${text('memory.max')} bytes, ${text('memory.killed')} killed, ${text('memory.state')}`,
      ok:
        number('small') === 0 &&
        number('large') === EXIT_KILLED &&
        number('memory.max') === bytes &&
        number('memory.peak') <= bytes &&
        number('memory.killed') >= 1 &&
        text('memory.state') === 'active',
    },
    {
      id: 'limits.pids',
      must: `200 forks are refused at ${pids} tasks`,
      measured: `${text('pids.current')} of ${text('pids.max')} tasks, ${text('pids.refused')} refused, the shell ended with ${text('forks')}`,
      ok:
        number('pids.max') === pids &&
        number('pids.current') <= pids &&
        number('pids.refused') >= 1 &&
        number('forks') > 0,
    },
    {
      id: 'limits.cpu',
      must: `a busy loop gets ${cpuPercent} % of a processor (within a quarter)`,
      measured: `${text('cpu.percent')} %, ${text('cpu.throttled')} times throttled, cpu.max ${text('cpu.max')}`,
      ok:
        number('cpu.percent') > 0 &&
        number('cpu.percent') <= cpuPercent * 1.25 &&
        number('cpu.throttled') >= 1,
    },
  ]
}

const image = await prepare()
if (image === undefined) {
  process.exitCode = EXIT_MISSING
} else {
  await using folder = await makeTempFolder()
  await writePayload(folder.path)
  say('user-mode-linux: booting, about half a minute')
  const begun = performance.now()
  const { output, code } = await runInUml(image, folder.path, {
    memory: MEMORY,
    timeoutMs: RUN_TIMEOUT_MS,
  })
  const rows = rowsOf(findingsIn(output))
  say(`took ${Math.round((performance.now() - begun) / 1000)} s; the script ended with ${code}`)
  if (rows.some(({ ok }) => !ok)) say(output)
  reportRows(rows)
}
