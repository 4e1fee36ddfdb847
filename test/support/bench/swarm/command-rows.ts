/** The rows that another command of this project prints with `--json`. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Row } from '../../report-rows.ts'
import type { Bench } from './bench.ts'

const PROJECT_FOLDER = join(import.meta.dirname, '../../../..')
const OUTPUT_BYTES_MAX = 2 ** 24

/** @throws Error when the last line is not an object with rows */
export async function rowsOfCommand(
  { running }: Pick<Bench, 'running'>,
  script: string,
  args: readonly string[],
): Promise<readonly Row[]> {
  const path = join(PROJECT_FOLDER, script)
  const stdout = await new Promise<string>((resolve, reject) => {
    const options = { maxBuffer: OUTPUT_BYTES_MAX }
    const command = [path, ...args, '--json']
    const child = execFile(process.execPath, command, options, (error, output, stderr) => {
      running.delete(entry)
      // A row that does not hold makes it end with 1, which is for this command to say, not an accident.
      if (error !== null && error.code !== 1) reject(new Error(`${script}: ${stderr.trim()}`))
      else resolve(output)
    })
    const entry = {
      async kill() {
        child.kill('SIGKILL')
      },
    }
    running.add(entry)
  })
  const last = stdout.trim().split('\n').at(-1) ?? ''
  const { rows } = JSON.parse(last) as { readonly rows?: readonly Row[] }
  if (rows === undefined || rows.length === 0) throw new Error(`${script} printed no rows`)
  return rows
}
