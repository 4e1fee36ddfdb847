/** What of this machine every node sees, read-only: the project with its packages, which have Node 24. */
import { lstat, readlink, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { codeOf } from '../../../src/core/errors.ts'
import type { Bind } from './machine.ts'

/** Where nodes see the project. */
export const PROJECT_IN_NODE = '/opt/archy'

/**
 * The binds that show `project` in a node. Where its node_modules is a link, the folder behind it is bound to the path that
 * the link means inside the node, so that the link works there as it does here.
 */
export async function projectBinds(project: string): Promise<readonly Bind[]> {
  const binds: Bind[] = [{ from: await realpath(project), to: PROJECT_IN_NODE }]
  const packages = join(project, 'node_modules')
  try {
    if ((await lstat(packages)).isSymbolicLink()) {
      const to = resolve(PROJECT_IN_NODE, await readlink(packages))
      binds.push({ from: await realpath(packages), to })
    }
  } catch (error) {
    // A clone without installed packages: nodes then have the sources only.
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return binds
}
