/** Calls the real host of a lab node from the command line: steps as JSON on standard input, one JSON list of outcomes. */
import { text } from 'node:stream/consumers'
import { createHost } from '../../../orchestrator/index.ts'
import { codeOf, messageOf } from '../../../src/core/errors.ts'
import { waitFor } from '../wait-for.ts'

/** `[port, method, ...arguments]`; `{"bytes": TEXT}` as an argument stands for the bytes of the text. */
type Step = readonly [port: string, method: string, ...unknown[]]

const HINT_TIMEOUT_MS = 10_000

const host = createHost()
const hints = { systemd: 0, podman: 0 }
const stops = [
  host.systemd.onChange(() => {
    hints.systemd++
  }),
  host.podman.onChange(() => {
    hints.podman++
  }),
]
const ports: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  systemd: { ...host.systemd },
  podman: { ...host.podman },
  host: { controllers: host.controllers },
  hint: {
    async of(port: 'systemd' | 'podman') {
      await waitFor(`a hint of ${port}`, HINT_TIMEOUT_MS, () => hints[port] > 0, 10)
      hints[port] = 0
    },
  },
}

async function run([port, method, ...args]: Step): Promise<unknown> {
  const call = ports[port]?.[method]
  if (typeof call !== 'function') throw new Error(`no ${port}.${method}`)
  const value: unknown = await call(...args.map(decode))
  return value instanceof Map ? Object.fromEntries(value) : value
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('bytes' in value)) return value
  return Buffer.from(String(value.bytes))
}

const outcomes: unknown[] = []
for (const step of JSON.parse(await text(process.stdin)) as readonly Step[]) {
  try {
    outcomes.push({ value: await run(step) })
  } catch (error) {
    outcomes.push({ code: codeOf(error), message: messageOf(error) })
  }
}
for (const stop of stops) stop()
console.log(JSON.stringify(outcomes))
