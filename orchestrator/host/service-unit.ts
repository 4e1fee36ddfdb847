/** The user unit of the node itself: `systemd/archy.service` with its placeholders filled in. */
import { readFileSync } from 'node:fs'
import { unitPath } from '../units/escape.ts'

export interface ServiceUnitInput {
  /** Absolute paths: the Node.js binary and the program. */
  readonly node: string
  readonly main: string
  /** The configuration file, when it is not at its usual place. */
  readonly config?: string
}

/**
 * What the node is started with. Downloads leave much garbage that is dead at once: with V8's usual 16 MB for young objects
 * a getter takes 50 MB more and is no faster.
 */
export const NODE_ARGUMENTS = ['--max-semi-space-size=2'] as const

const TEMPLATE = new URL('../../systemd/archy.service', import.meta.url)

/**
 * The text of `archy.service` for this machine.
 * @throws OrchestratorError `PATH_UNSUITABLE` for a path with characters that unit files give a meaning.
 */
export function renderServiceUnit({ node, main, config }: ServiceUnitInput): string {
  const command = [
    unitPath(node),
    ...NODE_ARGUMENTS,
    unitPath(main),
    ...['node', 'run'],
    ...(config === undefined ? [] : ['--config', unitPath(config)]),
  ]
  return readFileSync(TEMPLATE, 'utf8').replace('@EXEC_START@', command.join(' '))
}
