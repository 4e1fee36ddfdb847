/** The checks that Podman makes inside a container. What is asked over the network, and whether a component is alive, the node asks. Pure. */
import type { Component } from '../../catalog/index.ts'
import { expandable, jsonArgv } from './escape.ts'
import type { UnitLine } from './file.ts'

/** While an app starts it is asked often, so that those who wait for it wait no longer than needed. */
const STARTUP_INTERVAL = '2s'

/**
 * Only readiness checks that run inside the container are Podman's. The unit then counts as started when the check
 * passes, so that everything ordered after it waits, also at boot without the node. A job is ready when it has ended.
 */
export function healthLines({ role, health }: Component): readonly UnitLine[] {
  if (role === 'job' || health?.exec === undefined) return []
  const { startup } = health
  // A startup check over the network is the node's; here the readiness check itself then stands in.
  const first = startup?.exec === undefined ? undefined : startup
  return [
    ['Notify', 'healthy'],
    ['HealthCmd', healthCommand(health.exec)],
    ['HealthInterval', health.interval],
    ['HealthTimeout', health.timeout],
    ['HealthRetries', String(health.failures)],
    ['HealthStartupCmd', healthCommand(first?.exec ?? health.exec)],
    ['HealthStartupInterval', first?.interval ?? STARTUP_INTERVAL],
    ['HealthStartupTimeout', first?.timeout ?? health.timeout],
  ]
}

/**
 * Podman takes a JSON array of one word for a shell command, and of several for an argv; a first word such as `CMD-SHELL`,
 * which it would read in its own way, is no part of any manifest (rule `health.exec`).
 */
function healthCommand(argv: readonly string[]): string {
  if (argv.length > 1) return jsonArgv(argv)
  return expandable(`'${(argv[0] ?? '').replaceAll("'", "'\\''")}'`)
}
