/** What the node noticed and an owner should know: each with what was seen and the way out of it. */

export interface Finding {
  /** Never reused for anything else; `docs/findings.md` lists them. */
  readonly code: string
  readonly app?: string
  readonly component?: string
  /** `error`: something the owner wants does not work. `warning`: it may stop working. */
  readonly severity: 'info' | 'warning' | 'error'
  readonly text: string
  /** What was seen, in the words of who said it; never a secret. */
  readonly evidence: readonly string[]
  /** What ends it: a command, or one sentence. */
  readonly fix: string
  /** Wall clock, when it was seen first by this run of the node. */
  readonly sinceMs: number
}

export type NewFinding = Omit<Finding, 'sinceMs'>

export interface Findings {
  /** Everything that `source` sees now: what it saw before and does not name any more is over. */
  report(source: string, findings: readonly NewFinding[]): void
  /** Those of one app, or with `undefined` those of the machine. */
  of(app: string | undefined): readonly Finding[]
}

/** In memory: what is still true is found again after a start. */
export function createFindings(nowMs: () => number): Findings {
  const bySource = new Map<string, readonly Finding[]>()
  return {
    report(source, findings) {
      const before = bySource.get(source) ?? []
      const same = (a: NewFinding, b: NewFinding): boolean =>
        a.code === b.code && a.app === b.app && a.component === b.component
      bySource.set(
        source,
        findings.map(each => ({
          ...each,
          sinceMs: before.find(other => same(other, each))?.sinceMs ?? nowMs(),
        })),
      )
    },
    of: app => [...bySource.values()].flat().filter(finding => finding.app === app),
  }
}
