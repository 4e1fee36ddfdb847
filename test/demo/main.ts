/** `npm run demo`: chooses the stage, prepares it, tells the story, and prints the JSON line when asked. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildAppFolders } from '../support/images/index.ts'
import { prepareLab } from '../support/prepare-lab.ts'
import { openLabStage } from './lab-stage.ts'
import { openProcessStage } from './process-stage.ts'
import type { Stage } from './stage.ts'
import { tellStory } from './story.ts'

const LAB_CLI = join(import.meta.dirname, '../support/lab/cli.ts')
/** Set for the second run of this file, which takes place inside the lab. */
const INSIDE = '--inside-lab'

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

async function play(stage: Stage, isJson: boolean): Promise<boolean> {
  await using theStage = stage
  const mode = theStage.runsApps ? 'real' : 'stub'
  const apps = await buildAppFolders({ mode, onProgress: say })
  const report = await tellStory(theStage, apps, text => process.stdout.write(text))
  for (const node of report.nodes) {
    const list = node.apps.map(app =>
      `${app.id} ${app.version} ${app.state} ${app.httpStatus ?? ''}`.trim(),
    )
    process.stdout.write(`\n${node.name}: ${list.join(', ')}`)
  }
  process.stdout.write(report.ok ? '\n\nAll of it happened.\n' : '\n\nNot all of it happened.\n')
  if (isJson) process.stdout.write(`${JSON.stringify(report)}\n`)
  return report.ok
}

async function playInLab(args: readonly string[]): Promise<number> {
  const command = [
    LAB_CLI,
    'run',
    'n1',
    'n2',
    'origin',
    '--',
    process.execPath,
    import.meta.filename,
  ]
  const child = spawn(process.execPath, [...command, INSIDE, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => child.kill(signal))
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code => resolve(code ?? 1))
  })
}

const args = process.argv.slice(2)
const isJson = args.includes('--json')
if (args.includes(INSIDE)) {
  process.exitCode = (await play(await openLabStage(), isJson)) ? 0 : 1
} else {
  const missing = await prepareLab(say)
  if (missing === undefined) {
    process.exitCode = await playInLab(args)
  } else {
    say(`Left out: running the apps. The nodes are processes on loopback. Missing: ${missing}`)
    if (process.env.CI === 'true') say('CI=true: the lab is not optional, so this run fails.')
    const ok = await play(await openProcessStage(), isJson)
    process.exitCode = ok && process.env.CI !== 'true' ? 0 : 1
  }
}
