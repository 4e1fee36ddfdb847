/** All checks over one set of facts. Pure. */
import { type Check, type Diagnosis, type Result, remedyText } from './check.ts'
import { ACCOUNT_CHECKS } from './checks/account.ts'
import { LIMIT_CHECKS } from './checks/limits.ts'
import { PLACE_CHECKS } from './checks/place.ts'
import { PODMAN_CHECKS } from './checks/podman.ts'
import { SESSION_CHECKS } from './checks/session.ts'
import type { Readings } from './facts.ts'

const CHECKS: readonly Check[] = [
  ...ACCOUNT_CHECKS,
  ...PODMAN_CHECKS,
  ...LIMIT_CHECKS,
  ...SESSION_CHECKS,
  ...PLACE_CHECKS,
]

export interface DoctorRow {
  readonly id: string
  readonly must: string
  readonly measured: string
  /** No finding of this check is an error; what is only a warning is in `findings`. */
  readonly ok: boolean
  readonly findings: readonly (Omit<Diagnosis, 'fix'> & { readonly fix: string })[]
}

export interface Report {
  readonly ok: boolean
  readonly rows: readonly DoctorRow[]
}

export function examine(readings: Readings): readonly Result[] {
  return CHECKS.map(check => check.run(readings))
}

/** What `--json` prints. */
export function reportOf(results: readonly Result[]): Report {
  const rows = results.map(({ id, must, measured, findings }) => ({
    ...{ id, must, measured },
    ok: findings.every(({ severity }) => severity !== 'error'),
    findings: findings.map(finding => ({ ...finding, fix: remedyText(finding.fix) })),
  }))
  return { ok: rows.every(row => row.ok), rows }
}

const MARKS = { error: 'ERROR', warning: 'warn ', info: 'info ' } as const

/** What a person reads: what is well in one line, what is not with its cure. */
export function formatResults(results: readonly Result[]): string {
  const lines = results.flatMap(({ id, measured, findings }) =>
    findings.length === 0
      ? [`ok     ${id}: ${measured}`]
      : findings.flatMap(({ code, severity, text, evidence, fix }) => [
          `${MARKS[severity]}  ${code}: ${text}`,
          ...evidence.map(each => `         seen: ${each}`),
          ...remedyText(fix)
            .split('\n')
            .map((line, index) => `         ${index === 0 ? 'fix: ' : '     '}${line}`),
        ]),
  )
  const all = results.flatMap(({ findings }) => findings)
  const count = (severity: Diagnosis['severity']): number =>
    all.filter(each => each.severity === severity).length
  const last =
    all.length === 0
      ? 'All is well.'
      : `${count('error')} errors, ${count('warning')} warnings, ${count('info')} hints`
  return [...lines, last].join('\n')
}
