/** What the user manager knows after a reload: the unit files of the two folders, with Quadlet's rules applied to ours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readUnit, type UnitSection, valuesOf } from '../../../../orchestrator/units/file.ts'
import { splitWords } from '../podman-words.ts'

export interface UnitDefinition {
  readonly name: string
  readonly wants: readonly string[]
  readonly requires: readonly string[]
  readonly after: readonly string[]
  readonly partOf: readonly string[]
  /** Paths that must not exist for the unit to start. */
  readonly heldBy: readonly string[]
  readonly isOneshot: boolean
  readonly remains: boolean
  readonly isRestarted: boolean
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  readonly work: UnitWork
}

export type UnitWork =
  | { readonly kind: 'target' }
  | { readonly kind: 'network'; readonly network: string }
  | { readonly kind: 'container'; readonly container: ContainerDefinition }

export interface ContainerDefinition {
  readonly name: string
  readonly imageId: string
  /** Units of the networks it joins. */
  readonly networkUnits: readonly string[]
  readonly secrets: readonly string[]
  /** The one that its data is made with: a database's. */
  readonly password: string | undefined
  readonly folders: readonly string[]
  readonly ports: readonly number[]
  readonly labels: Readonly<Record<string, string>>
  readonly waitsForHealth: boolean
  readonly graceMs: number
}

export interface UnitFolders {
  readonly quadlet: string
  readonly user: string
}

export function readUnits({ quadlet, user }: UnitFolders): ReadonlyMap<string, UnitDefinition> {
  const found = [
    ...unitsIn(quadlet, /\.(container|network)$/),
    ...unitsIn(user, /\.(target|service)$/),
  ]
  const byName = new Map(found.map(({ definition }) => [definition.name, definition]))
  // `WantedBy=` of a Quadlet file becomes a link in the generator's folder at every reload.
  for (const { definition, wantedBy } of found) {
    for (const target of wantedBy) {
      const other = byName.get(target)
      if (other === undefined || definition.work.kind === 'target') continue
      byName.set(target, { ...other, wants: [...other.wants, definition.name] })
    }
  }
  return byName
}

/** What the next boot starts: a link whose unit file is gone pulls nothing in. */
export function enabledUnits({ user }: UnitFolders): readonly string[] {
  const folder = join(user, 'default.target.wants')
  return existsSync(folder) ? readdirSync(folder).filter(name => existsSync(join(user, name))) : []
}

function unitsIn(
  folder: string,
  wanted: RegExp,
): readonly { definition: UnitDefinition; wantedBy: readonly string[] }[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => wanted.test(name) && !name.startsWith('.'))
    .map(name => readDefinition(name, readFileSync(join(folder, name), 'utf8')))
}

function readDefinition(
  file: string,
  text: string,
): { definition: UnitDefinition; wantedBy: readonly string[] } {
  const sections = readUnit(text)
  const words = (section: string, key: string): readonly string[] =>
    valuesOf(sections, section, key).flatMap(value => value.split(' '))
  const last = (key: string): string | undefined => valuesOf(sections, 'Service', key).at(-1)
  const base = file.replace(/\.(container|network|target|service)$/, '')
  const isNetwork = file.endsWith('.network')
  const isContainer = file.endsWith('.container')
  const networks = isContainer ? networkUnits(sections) : []
  const name = isNetwork ? `${base}-network.service` : isContainer ? `${base}.service` : file
  return {
    wantedBy: words('Install', 'WantedBy'),
    definition: {
      name,
      wants: words('Unit', 'Wants'),
      requires: [...words('Unit', 'Requires'), ...networks],
      after: [...words('Unit', 'After'), ...networks],
      partOf: words('Unit', 'PartOf'),
      heldBy: words('Unit', 'ConditionPathExists')
        .filter(path => path.startsWith('!'))
        .map(path => path.slice(1)),
      isOneshot: isNetwork || last('Type') === 'oneshot',
      remains: isNetwork || last('RemainAfterExit') === 'yes',
      isRestarted: last('Restart') === 'always',
      startTimeoutMs: Number(last('TimeoutStartSec') ?? 90) * 1000,
      stopTimeoutMs: Number(last('TimeoutStopSec') ?? 90) * 1000,
      work: isNetwork
        ? { kind: 'network', network: one(sections, 'Network', 'NetworkName') ?? `systemd-${base}` }
        : isContainer
          ? { kind: 'container', container: readContainer(sections) }
          : { kind: 'target' },
    },
  }
}

function readContainer(sections: readonly UnitSection[]): ContainerDefinition {
  const all = (key: string): readonly string[] => valuesOf(sections, 'Container', key)
  const first = (value: string): string => value.split(/[,:]/)[0] ?? ''
  return {
    name: all('ContainerName')[0] ?? '',
    imageId: all('Image')[0] ?? '',
    networkUnits: networkUnits(sections),
    secrets: all('Secret').map(first),
    password: all('Secret')
      .filter(value => value.endsWith('target=PASSWORD'))
      .map(first)[0],
    folders: all('Volume')
      .filter(value => !value.endsWith(':ro'))
      .map(first),
    ports: all('PublishPort').map(value => Number(/(\d+):\d+\//.exec(value)?.[1])),
    labels: Object.fromEntries(
      all('Label').map(value => {
        const [word = ''] = splitWords(value)
        return [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]
      }),
    ),
    waitsForHealth: all('Notify')[0] === 'healthy',
    graceMs: Number(all('StopTimeout')[0] ?? 10) * 1000,
  }
}

function networkUnits(sections: readonly UnitSection[]): readonly string[] {
  return valuesOf(sections, 'Container', 'Network')
    .map(value => value.split(':')[0] ?? '')
    .filter(value => value.endsWith('.network'))
    .map(value => `${value.replace(/\.network$/, '')}-network.service`)
}

const one = (sections: readonly UnitSection[], section: string, key: string): string | undefined =>
  valuesOf(sections, section, key)[0]
