/** The real machine behind the orchestrator's ports. */
import type { Host } from '../ports.ts'
import { readControllers } from './controllers.ts'
import { createEndpoints } from './endpoints.ts'
import { readMachine } from './machine.ts'
import { createPodman } from './podman.ts'
import { createQuadlet } from './quadlet.ts'
import { createSystemd } from './systemd.ts'

/** `runtimeFolder` is the user's, where systemd and Podman have their sockets; nothing is connected before it is needed. */
export function createHost(runtimeFolder = `/run/user/${process.getuid?.() ?? 0}`): Host {
  return {
    podman: createPodman(),
    systemd: createSystemd(runtimeFolder),
    quadlet: createQuadlet(),
    endpoints: createEndpoints(),
    machine: readMachine,
    controllers: () => readControllers(runtimeFolder),
  }
}
