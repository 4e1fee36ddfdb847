/** How systemd runs, limits and ends a component. Pure. */
import { byteCount, durationMs } from '../../catalog/index.ts'
import { startBudgetMs } from '../spec.ts'
import type { Rendering } from './container.ts'
import { WORDS_IN_VARIABLES } from './escape.ts'
import type { UnitLine } from './file.ts'

/** How long Podman needs to remove a container after the process ended, at least; a stop beyond it is a failure. */
const STOP_MARGIN_SECONDS = 15
/** Time for everything around the app's own start: namespaces, network, volumes. */
const START_MARGIN_SECONDS = 30
/** Podman's own default for a container. A fork bomb ends here; a busy database stays far below. */
const TASKS_MAX_DEFAULT = 2048

/**
 * Limits stand in `[Service]`, where systemd ignores one whose controller is not delegated. Podman's own `--memory`
 * and `--pids-limit` would refuse to start the app there.
 */
export function serviceLines({ component }: Rendering): readonly UnitLine[] {
  const { memory, pids, cpuPercent } = component.resources
  const graceSeconds = seconds(durationMs(component.stop.grace))
  return [
    ...(component.role === 'job' ? JOB_LINES : SERVICE_LINES),
    ['TimeoutStartSec', String(seconds(startBudgetMs(component)) + START_MARGIN_SECONDS)],
    ['TimeoutStopSec', String(graceSeconds + STOP_MARGIN_SECONDS)],
    ...(memory === undefined ? [] : ([['MemoryMax', String(byteCount(memory))]] as const)),
    ['TasksMax', String(pids ?? TASKS_MAX_DEFAULT)],
    ...(cpuPercent === undefined ? [] : ([['CPUQuota', `${cpuPercent}%`]] as const)),
    ...variableLines(component.command ?? []),
  ]
}

const SERVICE_LINES: readonly UnitLine[] = [
  ['Restart', 'always'],
  ['RestartSec', '1s'],
  ['RestartSteps', '8'],
  ['RestartMaxDelaySec', '5min'],
  // What a program without a handler says when it obeys SIGTERM: an orderly end, not a failure.
  ['SuccessExitStatus', '143'],
]

/** Runs once at each start of the app and then counts as up, so that what waits for its end can start. */
const JOB_LINES: readonly UnitLine[] = [
  ['Type', 'oneshot'],
  ['RemainAfterExit', 'yes'],
]

/** The variables that `argvWords` refers to, only where it does. */
function variableLines(argv: readonly string[]): readonly UnitLine[] {
  return [...WORDS_IN_VARIABLES]
    .filter(([word]) => argv.includes(word))
    .map(([word, variable]): UnitLine => ['Environment', `${variable}=${word}`])
}

export function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
