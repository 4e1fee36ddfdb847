/**
 * `npm run bench:orchestrator [-- --json]`: what a pass over fifty apps costs when there is nothing to do. On a real node of
 * the lab: systemd, Podman and the apps' containers are real.
 */
import { join } from 'node:path'
import { runInLab } from '../support/lab/run.ts'
import { prepareLab } from '../support/prepare-lab.ts'

/** As `npm run lab -- doctor` has it. */
const EXIT_MISSING = 77
const MEASURE = join(import.meta.dirname, 'orchestrator/measure.ts')

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const missing = await prepareLab(say)
if (missing === undefined) {
  const command = [process.execPath, MEASURE, ...process.argv.slice(2)]
  process.exitCode = await runInLab(['n1', 'origin'], command, say)
} else {
  say(`Left out: the benchmark of the orchestrator. Missing: ${missing}`)
  process.exitCode = EXIT_MISSING
}
