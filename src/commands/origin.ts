/** `archy origin`: what a publisher does, from the first key to serving the files. */
import { Command } from 'commander'
import { addCommand } from './origin-add.ts'
import { bootstrapCommand } from './origin-bootstrap.ts'
import { bundleCommand } from './origin-bundle.ts'
import { addCeremonyCommands } from './origin-ceremony.ts'
import type { OriginCommandContext } from './origin-context.ts'
import { acknowledgeForkCommand, delegateCommand } from './origin-delegate.ts'
import { initCommand } from './origin-init.ts'
import { keyCommand } from './origin-key.ts'
import { publishCommand } from './origin-publish.ts'
import { publisherCommand } from './origin-publisher.ts'
import { releaseCommand } from './origin-release.ts'
import { serveCommand } from './origin-serve.ts'

/** The commands of a publisher; failures are thrown as `NodeError` for the caller to report. */
export function originCommand(context: OriginCommandContext): Command {
  const command = new Command('origin').description(
    'publish apps: make, fill, sign, serve an origin',
  )
  command.addCommand(initCommand(context))
  command.addCommand(addCommand(context))
  command.addCommand(releaseCommand(context))
  command.addCommand(delegateCommand(context))
  command.addCommand(publisherCommand(context))
  command.addCommand(acknowledgeForkCommand(context))
  command.addCommand(bootstrapCommand(context))
  command.addCommand(publishCommand(context))
  command.addCommand(bundleCommand(context))
  command.addCommand(keyCommand(context))
  addCeremonyCommands(command, context)
  command.addCommand(serveCommand(context))
  return command
}
