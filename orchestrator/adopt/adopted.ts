/** What the record of an app keeps of containers that this node did not make. */
import { z } from 'zod'
import type { NewFinding } from '../findings.ts'

const adoptedContainer = z.strictObject({
  component: z.string(),
  name: z.string(),
  /** Podman's id: proof that it is still the container that was adopted. */
  id: z.string(),
  /** The service of somebody else that runs it; none for a bare container. */
  unit: z.string().optional(),
  /** The file that systemd, or Quadlet, made that service of. */
  unitFile: z.string().optional(),
  restartPolicy: z.string(),
  doesRemoveItself: z.boolean(),
})

export const adoptedSchema = z.strictObject({
  sinceMs: z.number(),
  containers: z.array(adoptedContainer),
  pins: z.array(z.strictObject({ set: z.string(), source: z.string() })),
  drift: z.array(z.string()),
})

/** Containers that were replaced: stopped, renamed, and kept for a while. */
export const asideSchema = z.strictObject({ names: z.array(z.string()), untilMs: z.number() })

export type Adopted = z.infer<typeof adoptedSchema>
export type AdoptedContainer = z.infer<typeof adoptedContainer>

/** What a replaced container, or the file of its unit, is called; Quadlet and systemd know no such ending. */
export const asideName = (name: string): string => `${name}.pre-takeover`

/** What the owner should know of an app that runs in containers of somebody else. Pure. */
export function adoptionFindings(id: string, adopted: Adopted): readonly NewFinding[] {
  const fix = `archy app take-over ${id}`
  const bare = adopted.containers.filter(({ unit }) => unit === undefined)
  const fleeting = bare.filter(({ doesRemoveItself }) => doesRemoveItself)
  const volumes = adopted.pins.filter(({ source }) => /\/volumes\/[^/]+\/_data$/.test(source))
  const findings: (NewFinding | false)[] = [
    bare.length > 0 && {
      app: id,
      code: 'adopt.rebootUnsafe',
      severity: 'warning',
      text: `no unit starts ${namesOf(bare)} at boot: podman-restart.service starts only what has the policy "always", in no order, and a shutdown kills after 90 s`,
      evidence: bare.map(({ name, restartPolicy }) => `${name}: restart policy ${restartPolicy}`),
      fix,
    },
    fleeting.length > 0 && {
      app: id,
      code: 'adopt.removesItself',
      severity: 'warning',
      text: `${namesOf(fleeting)} was started with --rm: once it ends it is gone, so nothing could be taken back; start it without --rm`,
      evidence: fleeting.map(({ name }) => name),
      fix: 'start it again without --rm, then adopt it',
    },
    volumes.length > 0 && {
      app: id,
      code: 'adopt.volume',
      severity: 'info',
      text: 'data of the app is in volumes of Podman: after a take-over nothing but this app uses them, and "podman volume prune" would delete them',
      evidence: volumes.map(({ set, source }) => `${set}: ${source}`),
      fix: 'never run "podman volume prune" on this machine, or move the data into the folder of the app while it is stopped',
    },
    adopted.drift.length > 0 && {
      app: id,
      code: 'adopt.drift',
      severity: 'info',
      text: `${id} runs otherwise than its manifest says; a take-over changes that`,
      evidence: adopted.drift,
      fix,
    },
  ]
  return findings.filter(each => each !== false)
}

function namesOf(containers: readonly AdoptedContainer[]): string {
  return containers.map(({ name }) => name).join(', ')
}
