/** Which cgroup controllers this machine lets the user's services have. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { codeOf } from '../../src/core/errors.ts'
import { openBus } from './bus.ts'
import { MANAGER, MANAGER_PATH, readProperty } from './manager.ts'

/** Where a machine with cgroup v2 has it, and only there are controllers delegated. */
const CGROUPS = '/sys/fs/cgroup'

/**
 * What the cgroup of the user's systemd has, such as `cpu`, `memory`, `pids`; nothing where the machine has cgroup v1.
 * @throws HostError when systemd does not answer.
 */
export async function readControllers(runtimeFolder: string): Promise<readonly string[]> {
  const bus = await openBus(join(runtimeFolder, 'bus'), { onSignal() {}, onLost() {} })
  try {
    const group = z.string().parse(await readProperty(bus, MANAGER_PATH, MANAGER, 'ControlGroup'))
    const text = await readFile(join(CGROUPS, group, 'cgroup.controllers'), 'utf8')
    return text.split(/\s+/).filter(name => name !== '')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  } finally {
    bus.close()
  }
}
