/** How a component is checked: ready for work, alive at all, and still starting. */
import { z } from 'zod'
import { argv, integer } from './parts.ts'
import { durationBetween, line } from './values.ts'

const probe = {
  /** Runs inside the container; argv, no shell. */
  exec: argv.optional(),
  /** Asked by the node on a host port that the component publishes. */
  http: z.strictObject({ port: integer(1, 65_535), path: line(1024).default('/') }).optional(),
  tcp: z.strictObject({ port: integer(1, 65_535) }).optional(),
  interval: durationBetween('1s', '1h').default('30s'),
  timeout: durationBetween('1s', '10m').default('5s'),
  failures: integer(1, 100).default(3),
}

/** The probe itself says whether the component is ready: others wait for it, an update is judged by it. It never restarts anything. */
export const health = z.strictObject({
  ...probe,
  /** How long the first start may take before the start counts as failed. */
  startBudget: durationBetween('1s', '7d').default('5m'),
  /** Replaces the readiness probe until it passes for the first time. */
  startup: z.strictObject(probe).optional(),
  /** A component that fails this `failures` times in a row, and for a minute, is restarted by the node: at most five times. */
  live: z.strictObject(probe).optional(),
})
