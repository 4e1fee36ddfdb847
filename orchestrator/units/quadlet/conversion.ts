/** What every kind of Quadlet file has in common on its way to a service. Pure. */
import type { UnitSection } from '../file.ts'
import { type Draft, draftOf } from './draft.ts'
import { QuadletProblem } from './problem.ts'
import { type Reading, reading } from './reading.ts'

/** The machine that the units are made for, as far as the result depends on it. */
export interface QuadletHost {
  /** Absolute: the folder of the files. */
  readonly folder: string
  /** Whether a device that is only wanted where it is (`AddDevice=-…`) exists. */
  hasDevice(path: string): boolean
}

/** What other units get to know of one. */
export interface UnitInfo {
  /** Without `.service`. */
  readonly service: string
  /** What Podman calls it. */
  readonly resource: string
  /** Of a pod: services of containers that start with it. */
  readonly members: string[]
}

export interface Conversion {
  readonly host: QuadletHost
  readonly fileName: string
  readonly sections: readonly UnitSection[]
  readonly own: Reading
  readonly units: ReadonlyMap<string, UnitInfo>
  readonly draft: Draft
}

const PODMAN = '/usr/bin/podman'
/** For services of a user, who cannot wait for the system's own target. */
const NETWORK_ONLINE = 'podman-user-wait-network-online.service'

export interface ConversionInput {
  readonly host: QuadletHost
  readonly fileName: string
  readonly sections: readonly UnitSection[]
  /** `Container`, `Network` … */
  readonly section: string
  readonly units: ReadonlyMap<string, UnitInfo>
  readonly keys: ReadonlySet<string>
}

/** @throws QuadletProblem for a key that Quadlet does not know */
export function beginConversion(input: ConversionInput): Conversion {
  const { fileName, sections, section, units, keys, host } = input
  const own = reading(sections, section)
  const quadlet = reading(sections, 'Quadlet')
  const path = `${host.folder}/${fileName}`
  refuseUnknownKeys(own, section, keys, path)
  refuseUnknownKeys(quadlet, 'Quadlet', new Set(['DefaultDependencies']), path)
  const draft = draftOf(sections)
  if (quadlet.flag('DefaultDependencies') ?? true) {
    draft.prepend('Unit', 'After', NETWORK_ONLINE)
    draft.prepend('Unit', 'Wants', NETWORK_ONLINE)
  }
  draft.add('Unit', 'SourcePath', path)
  draft.add('Unit', 'RequiresMountsFor', '%t/containers')
  draft.rename(section, `X-${section}`)
  draft.rename('Quadlet', 'X-Quadlet')
  return { host, fileName, sections, own, units, draft }
}

function refuseUnknownKeys(
  own: Reading,
  section: string,
  known: ReadonlySet<string>,
  path: string,
): void {
  const key = own.keys().find(each => !known.has(each))
  if (key === undefined) return
  throw new QuadletProblem(`unsupported key '${key}' in group '${section}' in ${path}`)
}

/** `podman`, with what the file wants before the verb. */
export function podmanCommand({ own }: Conversion): string[] {
  const modules = own.all('ContainersConfModule').map(module => `--module=${module}`)
  return [PODMAN, ...modules, ...own.args('GlobalArgs')]
}

/** Makes the service wait for the unit of a file, and returns what Podman calls it. */
export function requireUnit({ draft }: Conversion, unit: UnitInfo): string {
  draft.add('Unit', 'Requires', `${unit.service}.service`)
  draft.add('Unit', 'After', `${unit.service}.service`)
  return unit.resource
}

/** An image, or the image of an `.image` or `.build` file. @throws QuadletProblem */
export function imageSource(conversion: Conversion, image: string): string {
  if (!/\.(build|image)$/.test(image)) return image
  const unit = conversion.units.get(image)
  if (unit === undefined) throw new QuadletProblem(`requested Quadlet image ${image} was not found`)
  return requireUnit(conversion, unit)
}

/** Relative paths are below the folder of the file; one that begins with a specifier of systemd stays. */
export function absolutePath({ host }: Conversion, path: string): string {
  if (path.startsWith('/') || (path.startsWith('%') && !path.startsWith('%%'))) return path
  return normalized(`${host.folder}/${path}`)
}

function normalized(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** `Type=oneshot` and what belongs to it, where the file does not say otherwise. */
export function makeOneshot(conversion: Conversion): void {
  const service = reading(conversion.sections, 'Service')
  const defaults = [
    ['SyslogIdentifier', '%N'],
    ['Type', 'oneshot'],
    ['RemainAfterExit', 'yes'],
  ] as const
  for (const [key, value] of defaults) {
    if (service.text(key) === undefined) conversion.draft.set('Service', key, value)
  }
}
