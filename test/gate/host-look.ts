/** What systemd and Podman of a node have of apps, in one look from outside of the daemon. */
import type { LabNode } from '../support/lab/index.ts'

export interface HostContainer {
  readonly name: string
  readonly id: string
  /** Podman's word, such as `running` or `exited`. */
  readonly state: string
  readonly app: string
  readonly version: string
}

export interface HostLook {
  readonly containers: readonly HostContainer[]
  /** Loaded units of apps by name, with their active state. */
  readonly units: ReadonlyMap<string, string>
  /** Names of files in the folders of units, of networks, of secrets, of images, of volumes. */
  readonly files: readonly string[]
  readonly networks: readonly string[]
  readonly secrets: readonly string[]
  readonly images: readonly string[]
  readonly volumes: readonly string[]
}

const SCRIPT = `
set +e
echo '# containers'
podman ps -a --no-trunc --format '{{.Names}} {{.ID}} {{.State}} {{index .Labels "app.id"}} {{index .Labels "app.version"}}'
echo '# units'
systemctl --user list-units --all --plain --no-legend 'app-*' | sed 's/^[^a-z]*//' | tr -s ' ' | cut -d' ' -f1,3
echo '# files'
ls -1 .config/containers/systemd .config/systemd/user 2>/dev/null | grep '^app-'
echo '# networks'
podman network ls --format '{{.Name}}' | grep -vx podman
echo '# secrets'
podman secret ls --format '{{.Name}}'
echo '# images'
podman images --format '{{.Repository}}:{{.Tag}}'
echo '# volumes'
podman volume ls -q
true`

export async function lookAtHost(node: LabNode): Promise<HostLook> {
  return parseHostLook(await node.ok(SCRIPT, { timeoutMs: 60_000 }))
}

/** Pure: the text of the script by its headings. */
export function parseHostLook(text: string): HostLook {
  const sections = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) {
      lines = []
      sections.set(line.slice(2), lines)
    } else if (line !== '') lines.push(line)
  }
  const of = (name: string): readonly string[] => sections.get(name) ?? []
  return {
    containers: of('containers').map(line => {
      const [name = '', id = '', state = '', app = '', version = ''] = line.split(' ')
      return { name, id, state, app, version }
    }),
    units: new Map(
      of('units').map(line => {
        const [unit = '', active = ''] = line.split(' ')
        return [unit, active]
      }),
    ),
    files: of('files'),
    networks: of('networks'),
    secrets: of('secrets'),
    images: of('images'),
    volumes: of('volumes'),
  }
}

/** Pure: everything on the host that belongs to an app; its data and the secrets of the daemon are not looked at. */
export function tracesOf(id: string, look: HostLook): readonly string[] {
  const mine = (name: string): boolean => new RegExp(`^app-${id}([_.-]|$)`).test(name)
  const image = `localhost/archy/${id}/`
  return [
    ...look.containers.filter(each => each.app === id).map(({ name }) => `container ${name}`),
    ...[...look.units.keys()].filter(mine).map(name => `unit ${name}`),
    ...look.files.filter(mine).map(name => `file ${name}`),
    ...look.networks.filter(mine).map(name => `network ${name}`),
    ...look.secrets.filter(mine).map(name => `secret ${name}`),
    ...look.images.filter(name => name.startsWith(image)).map(name => `image ${name}`),
    ...look.volumes.map(name => `volume ${name}`),
  ]
}
