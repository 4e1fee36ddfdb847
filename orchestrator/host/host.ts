/** The real machine behind the orchestrator's ports. */
import type { Host } from '../ports.ts'
import { readControllers } from './controllers.ts'
import { createEndpoints } from './endpoints.ts'
import { readMachine } from './machine.ts'
import { createPodman } from './podman.ts'
import { createQuadlet } from './quadlet.ts'
import { createSystemd } from './systemd.ts'

/** It only has to listen. */
const SOCKET_TIMEOUT_MS = 30_000

/** `runtimeFolder` is the user's, where systemd and Podman have their sockets; nothing is connected before it is needed. */
export function createHost(runtimeFolder = `/run/user/${process.getuid?.() ?? 0}`): Host {
  const systemd = createSystemd(runtimeFolder)
  return {
    podman: createPodman(runtimeFolder, () =>
      systemd.startAndWait('podman.socket', SOCKET_TIMEOUT_MS),
    ),
    systemd,
    quadlet: createQuadlet(),
    endpoints: createEndpoints(),
    machine: readMachine,
    controllers: () => readControllers(runtimeFolder),
  }
}
