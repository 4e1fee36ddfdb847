/** What an app may have done at fixed points of its life: closed verbs, never a shell on the machine. */
import { z } from 'zod'
import { argv, containerUser, fileMode, integer } from './parts.ts'
import { containerPath, durationBetween, label, line } from './values.ts'

/** Runs a program inside a container of the app that is up. */
const exec = z.strictObject({ component: label, argv, user: containerUser.optional() })

/** Writes a text into a data set. `path` is inside the data set. References are filled in; secrets are not possible. */
const render = z.strictObject({
  data: label,
  path: containerPath,
  content: z.string().max(65_536),
  owner: containerUser.default({ uid: 0, gid: 0 }),
  mode: fileMode.default('0640'),
  /** False: only where there is none yet. */
  overwrite: z.boolean().default(false),
})

/** Copies a file of the component's own image to a place in a running container, usually one of its mounts. */
const copyIn = z.strictObject({ component: label, from: containerPath, to: containerPath })

/** Until a published port answers, or a program in a container ends with 0. */
const waitFor = z.strictObject({
  tcp: z.strictObject({ port: integer(1, 65_535) }).optional(),
  http: z.strictObject({ port: integer(1, 65_535), path: line(1024).default('/') }).optional(),
  exec: exec.optional(),
})

const step = z.strictObject({
  name: line(80).optional(),
  exec: exec.optional(),
  render: render.optional(),
  copyIn: copyIn.optional(),
  waitFor: waitFor.optional(),
  timeout: durationBetween('1s', '1h').default('60s'),
  runs: z.enum(['oncePerInstall', 'oncePerVersion', 'always']).default('oncePerVersion'),
  /** `warn`: the app counts as well, and the owner reads what happened. */
  onError: z.enum(['fail', 'warn']).default('fail'),
})

const steps = z.array(step).max(32)

/** `preStart` before any container of this generation runs, `postStart` once all are healthy, `preUpdate` and `preStop` while the old ones still run. */
export const hooks = z
  .strictObject({
    preStart: steps.default([]),
    postStart: steps.default([]),
    preUpdate: steps.default([]),
    preStop: steps.default([]),
  })
  .default({ preStart: [], postStart: [], preUpdate: [], preStop: [] })
