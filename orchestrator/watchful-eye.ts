/** The two bulk reads of a pass, and what it means when the host does not answer them again and again. */
import { messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import type { NewFinding } from './findings.ts'
import type { Snapshot } from './observe.ts'
import { snapshotOf, snapshotUnits } from './observe.ts'
import type { AppSpec } from './spec.ts'

export interface WatchfulEye {
  /** `undefined` when either read failed: then nobody may act. */
  look(specs: readonly AppSpec[]): Promise<Snapshot | undefined>
}

/** One may be an overloaded machine. */
const SILENT_LOOKS_MAX = 3

export function createWatchfulEye({ deps, findings }: Context): WatchfulEye {
  const silentCounts = { systemd: 0, podman: 0 }

  async function ask<T>(
    part: 'systemd' | 'podman',
    read: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const answer = await read()
      silentCounts[part] = 0
      findings.report(part, [])
      return answer
    } catch (error) {
      silentCounts[part] += 1
      const reason = messageOf(error)
      deps.log.warn('the host did not answer; nothing is repaired', { part, reason })
      if (silentCounts[part] >= SILENT_LOOKS_MAX) findings.report(part, [silent[part](reason)])
      return undefined
    }
  }

  return {
    async look(specs) {
      const units = await ask('systemd', () => deps.systemd.units(snapshotUnits(specs)))
      if (units === undefined) return undefined
      const containers = await ask('podman', () => deps.podman.containers())
      return containers === undefined ? undefined : snapshotOf(specs, units, containers)
    },
  }
}

const silent: Readonly<Record<'systemd' | 'podman', (reason: string) => NewFinding>> = {
  systemd: reason => ({
    ...{ code: 'systemd.unresponsive', severity: 'error', evidence: [reason] },
    text: "this user's systemd does not answer; apps are shown as they were last, and nothing is repaired",
    fix: 'look whether the user manager runs: systemctl --user status',
  }),
  podman: reason => ({
    ...{ code: 'podman.unresponsive', severity: 'error', evidence: [reason] },
    text: 'Podman does not answer; apps are shown as they were last, and nothing is repaired',
    fix: 'systemctl --user restart podman.socket; then try: podman ps',
  }),
}
