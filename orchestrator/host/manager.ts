/** Calls of systemd's manager object over the message bus. */
import type { Bus } from './bus.ts'

export const SYSTEMD = 'org.freedesktop.systemd1'
export const MANAGER_PATH = '/org/freedesktop/systemd1'
export const MANAGER = `${SYSTEMD}.Manager`
/** How a job takes the place of another one of its unit. */
export const REPLACE = 'replace'

/** @throws HostError, see `Bus.call` */
export async function callManager(
  bus: Bus,
  member: string,
  signature = '',
  body: readonly unknown[] = [],
  timeoutMs?: number,
): Promise<unknown> {
  return await bus.call({
    ...{ destination: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member },
    ...(signature === '' ? {} : { signature, body }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
}

/** One property of a systemd object, as it comes. @throws HostError, see `Bus.call` */
export async function readProperty(
  bus: Bus,
  path: string,
  owner: string,
  name: string,
): Promise<unknown> {
  return await bus.call({
    ...{ destination: SYSTEMD, path, interface: 'org.freedesktop.DBus.Properties', member: 'Get' },
    ...{ signature: 'ss', body: [owner, name] },
  })
}
