/** `archy origin bootstrap`: which peers the catalog names as a first way into its network. */
import { Command } from 'commander'
import { changeBootstrap, decideRelease } from '../../catalog/publish/index.ts'
import { isPublicAddress } from '../../swarm/index.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

interface BootstrapOptions extends JsonOption {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

export function bootstrapCommand({ io }: OriginCommandContext): Command {
  return new Command('bootstrap')
    .argument('<dir>')
    .description('show or change the peers that the catalog names to new nodes')
    .option('--add <address...>', 'such as /ip4/<address>/tcp/4001/p2p/<peer id>', [])
    .option('--remove <address...>', 'take addresses off the list', [])
    .option('--json', 'print JSON', false)
    .action(async (dir: string, { add, remove, json }: BootstrapOptions) => {
      const { bootstrap } = await decideRelease(dir, draft =>
        changeBootstrap(draft, { add, remove }),
      )
      const notDialled = bootstrap.filter(address => !isPublicAddress(address))
      if (json) {
        io.stdout(`${JSON.stringify({ bootstrap, notDialled })}\n`)
        return
      }
      const isChange = add.length + remove.length > 0
      const lines = [
        ...(bootstrap.length === 0 ? ['The catalog names no peers.'] : bootstrap),
        ...notDialled.map(address => `Nodes do not dial ${address}: it is no public address.`),
        ...(isChange ? [`Next: archy origin publish ${dir}`] : []),
      ]
      io.stdout(`${lines.join('\n')}\n`)
    })
}
