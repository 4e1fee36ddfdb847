/** The lab on the command line: `npm run lab -- doctor|packages|base|run|exec|gc`. */
import { messageOf } from '../../../src/core/errors.ts'
import { buildBase } from './base.ts'
import { collectGarbage } from './gc.ts'
import { attachLab } from './handle.ts'
import { labMissing } from './missing.ts'
import { ensureLabPackages } from './packages.ts'
import { parseRun, runInLab } from './run.ts'

/** The lab cannot run here, and the line before says why. */
const EXIT_MISSING = 77
const EXIT_FAILED = 1
const EXIT_USAGE = 2

const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  async doctor() {
    const missing = await labMissing()
    console.log(missing ?? 'ok')
    return missing === undefined ? 0 : EXIT_MISSING
  },
  async packages() {
    console.log((await ensureLabPackages(report)).join(' '))
    return 0
  },
  async base() {
    console.log((await buildBase(report)).folder)
    return 0
  },
  async run(args) {
    const { names, command } = parseRun(args)
    const missing = await labMissing()
    if (missing === undefined) return runInLab(names, command, report)
    report(missing)
    return EXIT_MISSING
  },
  async exec([name = '', ...argv]) {
    const lab = await attachLab()
    const result = await lab.node(name).exec(argv, { user: 'root' })
    process.stdout.write(result.stdout)
    process.stderr.write(result.stderr)
    return result.code ?? EXIT_FAILED
  },
  async gc() {
    for (const line of await collectGarbage()) report(line)
    return 0
  },
}

function report(line: string): void {
  console.error(`lab: ${line}`)
}

async function main([verb = '', ...args]: readonly string[]): Promise<number> {
  const run = VERBS[verb]
  if (run === undefined) {
    report(`"${verb}" is no command; there are ${Object.keys(VERBS).join(', ')}`)
    return EXIT_USAGE
  }
  try {
    return await run(args)
  } catch (error) {
    report(messageOf(error))
    return EXIT_FAILED
  }
}

process.exitCode = await main(process.argv.slice(2))
