/**
 * What Quadlet of Podman 5.4.2 will make of a folder of files, so that it can be seen and checked on any machine: the services,
 * with the argv that starts each container. `.kube` and `.build` files are not predicted, but may be referred to. Pure.
 * @see podman-systemd.unit(5); test/conformance/quadlet-fixtures.test.ts holds it against Podman's own tests
 */
import { messageOf } from '../../src/core/errors.ts'
import { type UnitSection, valuesOf } from './file.ts'
import { CONTAINER_KEYS, containerName, convertContainer } from './quadlet/container.ts'
import {
  beginConversion,
  type Conversion,
  type QuadletHost,
  type UnitInfo,
} from './quadlet/conversion.ts'
import { convertImage, IMAGE_KEYS } from './quadlet/image.ts'
import { installLinks, type UnitLink } from './quadlet/install.ts'
import { convertNetwork, NETWORK_KEYS } from './quadlet/network.ts'
import { convertPod, POD_KEYS } from './quadlet/pod.ts'
import { mergeSections, readQuadlet } from './quadlet/reader.ts'
import { type Reading, reading } from './quadlet/reading.ts'
import { convertVolume, VOLUME_KEYS } from './quadlet/volume.ts'
import { splitArguments } from './quadlet/words.ts'

export interface QuadletInput {
  readonly name: string
  readonly text: string
  /** Texts of its drop-ins, in the order of their names. */
  readonly dropIns?: readonly string[]
}

export interface PredictedService {
  /** `x.service` */
  readonly name: string
  /** The file it is made of. */
  readonly source: string
  readonly sections: readonly UnitSection[]
  readonly links: readonly UnitLink[]
}

export interface Prediction {
  readonly services: readonly PredictedService[]
  /** One sentence for each file that no service would be made of. */
  readonly problems: readonly { readonly file: string; readonly text: string }[]
}

interface Kind {
  readonly section: string
  /** Appended to the name of the file without its ending. */
  readonly suffix: string
  /** Files of lower order may be referred to by those of higher. */
  readonly order: number
  readonly resource: (own: Reading, name: string, service: string) => string
  readonly convert?: (conversion: Conversion, unit: UnitInfo) => void
  readonly keys: ReadonlySet<string>
}

const named =
  (key: string) =>
  (own: Reading, name: string): string =>
    own.filled(key) ?? `systemd-${name}`

const KINDS: Readonly<Record<string, Kind>> = {
  container: {
    section: 'Container',
    suffix: '',
    order: 4,
    keys: CONTAINER_KEYS,
    resource(own, name, service) {
      const resolved = containerName(own, name).replaceAll('%N', service)
      return resolved.includes('%') ? '' : resolved
    },
    convert: convertContainer,
  },
  network: {
    section: 'Network',
    suffix: '-network',
    order: 2,
    keys: NETWORK_KEYS,
    resource: named('NetworkName'),
    convert: (conversion, { resource }) => convertNetwork(conversion, resource),
  },
  volume: {
    section: 'Volume',
    suffix: '-volume',
    order: 2,
    keys: VOLUME_KEYS,
    resource: named('VolumeName'),
    convert: (conversion, { resource }) => convertVolume(conversion, resource),
  },
  image: {
    section: 'Image',
    suffix: '-image',
    order: 1,
    keys: IMAGE_KEYS,
    resource: own => own.filled('ImageTag') ?? own.filled('Image') ?? '',
    convert: convertImage,
  },
  pod: {
    section: 'Pod',
    suffix: '-pod',
    order: 5,
    keys: POD_KEYS,
    resource: named('PodName'),
    convert: (conversion, { resource, members }) => convertPod(conversion, resource, members),
  },
  build: {
    section: 'Build',
    suffix: '-build',
    order: 3,
    keys: new Set(),
    resource: own => own.all('ImageTag')[0] ?? '',
  },
}

interface Loaded {
  readonly file: string
  readonly kind: Kind
  readonly sections: readonly UnitSection[]
}

/** Files of kinds that are not known are left out. */
export function predictServices(files: readonly QuadletInput[], host: QuadletHost): Prediction {
  const problems: { file: string; text: string }[] = []
  const attempt = <T>(file: string, work: () => T): T[] => {
    try {
      return [work()]
    } catch (error) {
      problems.push({ file, text: messageOf(error) })
      return []
    }
  }
  const loaded = files.flatMap(file => attempt(file.name, () => load(file))).flat()
  const units = new Map(loaded.map(each => [each.file, infoOf(each)]))
  const ordered = loaded.toSorted(
    (a, b) => a.kind.order - b.kind.order || (a.file < b.file ? -1 : 1),
  )
  const services = ordered
    .filter(({ kind }) => kind.convert !== undefined)
    .flatMap(each => attempt(each.file, () => convert(each, units, host)))
  return { services, problems }
}

function load({ name, text, dropIns = [] }: QuadletInput): readonly Loaded[] {
  const kind = KINDS[name.slice(name.lastIndexOf('.') + 1)]
  if (kind === undefined) return []
  const sections = dropIns.reduce(
    (merged, dropIn) => mergeSections(merged, readQuadlet(dropIn)),
    readQuadlet(text),
  )
  return [{ file: name, kind, sections }]
}

function infoOf({ file, kind, sections }: Loaded): UnitInfo {
  const own = reading(sections, kind.section)
  const base = file.slice(0, file.lastIndexOf('.'))
  const service = own.text('ServiceName') ?? `${base}${kind.suffix}`
  return { service, resource: kind.resource(own, base, service), members: [] }
}

function convert(
  { file, kind, sections }: Loaded,
  units: ReadonlyMap<string, UnitInfo>,
  host: QuadletHost,
): PredictedService {
  const unit = units.get(file) as UnitInfo
  const { section, keys } = kind
  const conversion = beginConversion({ host, fileName: file, sections, section, units, keys })
  kind.convert?.(conversion, unit)
  const name = `${unit.service}.service`
  const made = conversion.draft.sections()
  return { name, source: file, sections: made, links: installLinks(made, name) }
}

/** The argv of a command of a service, as systemd splits it; specifiers and variables are not filled in. */
export function commandOf(service: PredictedService, key: string): readonly string[] {
  return splitArguments(valuesOf(service.sections, 'Service', key).at(-1) ?? '') ?? []
}

/** As `commandOf`, with what systemd fills in: `%%`, `$$`, the name of the unit, and variables of the unit itself. */
export function commandWords(service: PredictedService, key: string): readonly string[] {
  const unit = service.name.replace(/\.service$/, '')
  const variables = new Map(reading(service.sections, 'Service').pairs('Environment'))
  return commandOf(service, key).map(word =>
    word
      .replaceAll(/%([%N])/g, (_, letter: string) => (letter === '%' ? '%' : unit))
      .replaceAll(/\$\$|\$\{([A-Za-z_]\w*)\}/g, (whole, name?: string) =>
        name === undefined ? '$' : (variables.get(name) ?? whole),
      ),
  )
}
