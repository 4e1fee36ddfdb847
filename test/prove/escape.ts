/** `npm run prove:escape`: 10,000 random environment values, and thousands of arguments, through Podman's own generator. */
import { randomInt } from 'node:crypto'
import { buildBase } from '../support/lab/base.ts'
import { escapeRows } from '../support/quadlet/escape-rows.ts'
import { findGenerator } from '../support/quadlet/generator.ts'
import { reportRows } from '../support/report-rows.ts'

const VALUES = 10_000
const COMMANDS = 2000

const given = process.argv.find(each => each.startsWith('--seed='))?.slice('--seed='.length)
const seed = given === undefined ? randomInt(2 ** 31) : Number(given)

await buildBase(line => console.error(line))
const generator = findGenerator()
if (generator === undefined) {
  reportRows([
    {
      id: 'escape',
      must: 'the real generator is asked',
      measured: 'there is none here',
      ok: false,
    },
  ])
} else {
  console.log(`Podman ${generator.version}, --seed=${seed}`)
  reportRows(await escapeRows(generator, { values: VALUES, commands: COMMANDS, seed }))
}
