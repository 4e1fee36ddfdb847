/** The other end of `subject-process.ts`, for subjects that run in Node. */
import { createInterface } from 'node:readline'
import { messageOf } from '../../../../src/core/errors.ts'

export type Answers = Readonly<Record<string, (given: never) => unknown>>

export function tell(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** Says `ready`, answers until the standard input ends, then runs `stop` and ends the process. */
export function serveAsks(ready: unknown, answers: Answers, stop: () => Promise<void>): void {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', line => {
    const { id, ask, with: given } = JSON.parse(line) as { id: number; ask: string; with: never }
    answer(answers, ask, given).then(
      result => tell({ id, answer: result ?? null }),
      (error: unknown) => tell({ id, error: messageOf(error) }),
    )
  })
  lines.once('close', () => {
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${messageOf(error)}\n`)
        process.exit(1)
      },
    )
  })
  tell({ ready })
}

async function answer(answers: Answers, ask: string, given: never): Promise<unknown> {
  const run = answers[ask]
  if (run === undefined) throw new Error(`nothing answers ${ask}`)
  return await run(given)
}
