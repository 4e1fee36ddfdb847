/** Test data from outside the project, read where it lies and never copied. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FOLDER = new URL('../../../shared/vectors/', import.meta.url)

/** The parsed file (gzip or not), or `undefined` after printing one line when this machine does not have it. */
export function readVectors(name: string): unknown {
  const file = new URL(name, FOLDER)
  if (!existsSync(file)) {
    console.log(`left out: ../shared/vectors/${name} is missing`)
    return undefined
  }
  const bytes = readFileSync(file)
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'))
}
