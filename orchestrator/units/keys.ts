/**
 * Which Quadlet key exists since which Podman version: only the keys that we write. One unknown key makes the
 * generator drop the whole unit while `daemon-reload` still succeeds, so nothing is written that is not here.
 * @see Podman's release notes and `pkg/systemd/quadlet/quadlet.go` at each tag
 */
import { gte } from 'semver'
import { OrchestratorError } from '../errors.ts'
import type { UnitSection } from './file.ts'

/** Debian 13. Below it keys that every app needs are missing. */
export const PODMAN_VERSION_FLOOR = '5.4.0'

export const KEYS_SINCE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Container: {
    AddCapability: '4.4.0',
    AddDevice: '4.4.0',
    ContainerName: '4.4.0',
    DropCapability: '4.4.0',
    Entrypoint: '5.0.0',
    Environment: '4.4.0',
    Exec: '4.4.0',
    Group: '4.4.0',
    GroupAdd: '5.1.0',
    HealthCmd: '4.5.0',
    HealthInterval: '4.5.0',
    HealthRetries: '4.5.0',
    HealthStartupCmd: '4.5.0',
    HealthStartupInterval: '4.5.0',
    HealthStartupTimeout: '4.5.0',
    HealthTimeout: '4.5.0',
    HostName: '4.6.0',
    Image: '4.4.0',
    Label: '4.4.0',
    LogDriver: '4.5.0',
    Network: '4.4.0',
    NoNewPrivileges: '4.4.0',
    Notify: '5.0.0',
    PublishPort: '4.4.0',
    Pull: '4.6.0',
    ReadOnly: '4.4.0',
    RunInit: '4.4.0',
    Secret: '4.5.0',
    ShmSize: '4.7.0',
    StopSignal: '5.2.0',
    StopTimeout: '5.0.0',
    Tmpfs: '4.5.0',
    User: '4.4.0',
    Volume: '4.4.0',
    WorkingDir: '4.6.0',
  },
  Network: { Internal: '4.4.0', Label: '4.4.0', NetworkName: '4.7.0' },
  Quadlet: { DefaultDependencies: '5.3.0' },
}

/** @throws OrchestratorError `PODMAN_TOO_OLD` naming the key and both versions. */
export function assertKeysSupported(sections: readonly UnitSection[], podman: string): void {
  for (const { name, lines } of sections) {
    const known = KEYS_SINCE[name]
    if (known === undefined) continue
    for (const [key] of lines) {
      const since = known[key]
      if (since !== undefined && gte(podman, since)) continue
      throw new OrchestratorError(
        'PODMAN_TOO_OLD',
        `${key}= in [${name}] needs Podman ${since ?? 'of a version that is not known'} or newer, not ${podman}`,
      )
    }
  }
}
