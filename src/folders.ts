/** Where things live on this machine: the XDG base folders, or what the environment says instead. */
import { join } from 'node:path'

export interface Folders {
  /** The configuration file. */
  readonly configFile: string
  /** Blobs, trusted catalog, app records, secrets. Must be on the file system that is to hold the blobs. */
  readonly state: string
  /** App data: one folder per app, one inside it per data set. Never deleted but by `purge`. */
  readonly data: string
  /** Quadlet units of rootless Podman. */
  readonly units: string
  /** Plain units of the user's service manager. */
  readonly userUnits: string
  /** The Unix socket of the control API. */
  readonly socket: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** @see XDG Base Directory Specification 0.8 */
export function foldersFrom(environment: Environment, userId: number): Folders {
  const home = environment.HOME ?? '/'
  const config = environment.XDG_CONFIG_HOME ?? join(home, '.config')
  const state = environment.XDG_STATE_HOME ?? join(home, '.local/state')
  const data = environment.XDG_DATA_HOME ?? join(home, '.local/share')
  const runtime = environment.XDG_RUNTIME_DIR ?? `/run/user/${userId}`
  return {
    configFile: environment.ARCHY_CONFIG ?? join(config, 'archipelago/config.yaml'),
    state: environment.ARCHY_STATE ?? join(state, 'archipelago'),
    data: environment.ARCHY_DATA ?? join(data, 'archipelago/apps'),
    units: join(config, 'containers/systemd'),
    userUnits: join(config, 'systemd/user'),
    socket: environment.ARCHY_SOCKET ?? join(runtime, 'archipelago/api.sock'),
  }
}
