/** What must be true before anything of an app moves: ports and container names that nobody else holds. */
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import type { AppRecord } from './record.ts'
import type { AppSpec, PortSpec } from './spec.ts'

/**
 * @param others Records of the other apps of this node; a stopped one still owns its ports.
 * @param own Ports that the app itself holds already, because an older generation of it runs.
 * @throws OrchestratorError `PORT_TAKEN`, `PORT_REFUSED`, `CONTAINER_NAME_TAKEN`, naming every problem.
 */
export async function preflight(
  context: Context,
  spec: AppSpec,
  others: readonly AppRecord[],
  own: readonly PortSpec[],
): Promise<void> {
  for (const port of spec.ports) {
    const holder = others.find(other =>
      other.committed?.spec.ports.some(theirs => isSamePort(theirs, port)),
    )
    if (holder !== undefined) throw portTaken(spec, port, `the app ${holder.id}`)
  }
  if (context.options.mode === 'render') return
  for (const port of spec.ports) {
    if (own.some(held => isSamePort(held, port))) continue
    const state = await context.deps.endpoints.portState(port.host, port.protocol)
    if (state === 'taken') throw portTaken(spec, port, 'another program on this machine')
    if (state === 'refused') {
      throw new OrchestratorError(
        'PORT_REFUSED',
        `${spec.id} wants port ${port.host}/${port.protocol}, which this user may not use; set net.ipv4.ip_unprivileged_port_start=${port.host} or lower`,
      )
    }
  }
  await assertNamesFree(context, spec)
}

/** Starting a unit removes a container of the same name by force, so one that is not ours must not be there. */
async function assertNamesFree({ deps }: Context, spec: AppSpec): Promise<void> {
  const names = new Set(spec.components.map(({ container }) => container))
  for (const { name, labels } of await deps.podman.containers()) {
    if (!names.has(name) || labels['app.id'] === spec.id) continue
    throw new OrchestratorError(
      'CONTAINER_NAME_TAKEN',
      `a container ${name} exists that this node did not make for ${spec.id}; rename or remove it`,
    )
  }
}

function isSamePort(a: PortSpec, b: PortSpec): boolean {
  return a.host === b.host && a.protocol === b.protocol
}

function portTaken(spec: AppSpec, port: PortSpec, holder: string): OrchestratorError {
  return new OrchestratorError(
    'PORT_TAKEN',
    `${spec.id} wants port ${port.host}/${port.protocol}, which ${holder} holds`,
  )
}
