/** Limits of apps that this machine does not enforce: systemd ignores one whose cgroup controller it was not given. Pure. */
import type { NewFinding } from './findings.ts'
import type { AppRecord } from './record.ts'
import { readUnit, valuesOf } from './units/file.ts'

/** Keys of `[Service]` that we write, and the controller that each needs. @see systemd.resource-control(5) */
const CONTROLLERS = { MemoryMax: 'memory', TasksMax: 'pids', CPUQuota: 'cpu' } as const

/** `controllers`: what the user's services may use. */
export function unenforcedLimits(
  records: readonly AppRecord[],
  controllers: readonly string[],
): readonly NewFinding[] {
  const missing = Object.entries(CONTROLLERS).filter(([, name]) => !controllers.includes(name))
  if (missing.length === 0) return []
  return records.flatMap(({ id, committed }) => {
    const units = (committed?.quadlet ?? []).map(({ text }) => readUnit(text))
    const limits = missing.flatMap(([key]) =>
      units.flatMap(unit => valuesOf(unit, 'Service', key).map(value => `${key}=${value}`)),
    )
    if (limits.length === 0) return []
    return [
      {
        ...{ code: 'limits.unenforced', app: id, severity: 'warning' as const },
        text: `limits of ${id} are not enforced: this user's systemd has no controller for ${missing.map(([, name]) => name).join(', ')}; the app runs without them`,
        evidence: [...new Set(limits)],
        fix: 'archy doctor names the file that hands the controllers on, where the kernel has them',
      },
    ]
  })
}
