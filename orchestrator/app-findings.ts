/** What an app's record and one look at it say that its owner should know. Pure and total. */
import { adoptionFindings } from './adopt/adopted.ts'
import { type ComponentStatus, RESTARTS_MAX } from './component-status.ts'
import type { NewFinding } from './findings.ts'
import type { AppRecord } from './record.ts'
import type { Circumstances } from './status.ts'
import { updateFindings } from './update-findings.ts'

export interface AppFacts extends Pick<Circumstances, 'operation' | 'blockedBy'> {
  readonly components: readonly ComponentStatus[]
  readonly isHeld: boolean
  /** Apps that need this one. */
  readonly neededBy: readonly string[]
}

export function appFindings(record: AppRecord, facts: AppFacts): readonly NewFinding[] {
  const { id, desired, operation, wasKilled } = record
  const isAtRest = operation === undefined && record.committed !== undefined && !record.retained
  return [
    ...(record.adopted === undefined ? [] : adoptionFindings(id, record.adopted)),
    ...(isAtRest && desired === 'running'
      ? facts.components.flatMap(each => endFinding(id, each) ?? [])
      : []),
    ...(isAtRest && desired === 'stopped' && wasKilled === true ? [stopKilled(id)] : []),
    ...(desired === 'stopped' && operation === undefined && facts.neededBy.length > 0
      ? [needed(id, facts.neededBy)]
      : []),
    ...(isAtRest && facts.isHeld ? [held(id)] : []),
    ...(operation !== undefined && facts.operation === 'waiting' ? [waiting(record)] : []),
    ...(operation !== undefined && facts.operation === 'overdue' ? [overdue(record)] : []),
    ...(isAtRest && facts.blockedBy !== undefined ? [blocked(id, facts.blockedBy)] : []),
    ...updateFindings(record),
  ]
}

const ends = {
  crash: { code: 'app.crashed', text: 'ended with an error' },
  'out-of-memory': { code: 'app.out-of-memory', text: 'was ended at its memory limit' },
  'too-slow': { code: 'app.too-slow', text: 'did not get ready in its time' },
  killed: { code: 'app.killed', text: 'was killed' },
} as const

function endFinding(app: string, { name, state, ended }: ComponentStatus): NewFinding | undefined {
  if (ended === undefined) return undefined
  const { code, text } = ends[ended.cause]
  const isLooping = ended.restarts >= RESTARTS_MAX || state === 'failed'
  return {
    ...{ code, app, component: name },
    severity: isLooping ? 'error' : 'warning',
    text: `${name} ${text}`,
    evidence: [`exit status ${ended.exitStatus}`, `${ended.restarts} restarts in a row`],
    fix:
      ended.cause === 'out-of-memory'
        ? 'give it less to do, or take an app off this machine; a higher limit is for its publisher'
        : `see why in its log: journalctl --user -u app-${app}_${name}.service`,
  }
}

const stopKilled = (app: string): NewFinding => ({
  ...{ code: 'stop.killed', app, severity: 'warning' },
  text: 'a component was killed after its grace, or ended with a status other than 0',
  evidence: [],
  fix: 'check its data after the next start; a longer grace is for its publisher',
})

const needed = (app: string, others: readonly string[]): NewFinding => ({
  ...{ code: 'need.stopped', app, severity: 'warning' },
  text: `${others.join(', ')} cannot do without ${app}, which does not run`,
  evidence: [],
  fix: `archy app start ${app}, or stop ${others.join(', ')} as well`,
})

const held = (app: string): NewFinding => ({
  ...{ code: 'app.held', app, severity: 'error' },
  text: 'bringing its data back did not end, so it is not started',
  evidence: [],
  fix: `look at its data folder, then: archy app start ${app}`,
})

const waiting = ({ id, operation, problem }: AppRecord): NewFinding => ({
  ...{ code: 'operation.interrupted', app: id, severity: 'error' },
  text: `its ${operation?.kind} did not end and is tried again`,
  evidence: problem === undefined ? [] : [problem.message],
  fix: 'archy doctor says what is wrong with the machine',
})

const overdue = ({ id, operation }: AppRecord): NewFinding => ({
  ...{ code: 'operation.overdue', app: id, severity: 'error' },
  text: `its ${operation?.kind} takes longer than it ever should`,
  evidence: [],
  fix: 'systemctl --user restart archy.service ends it and begins it again; apps go on running',
})

const blocked = (app: string, reason: string): NewFinding => ({
  ...{ code: 'need.unmet', app, severity: 'error' },
  text: `not started: ${reason}`,
  evidence: [],
  fix: 'install or start the other app; this one then starts by itself',
})
