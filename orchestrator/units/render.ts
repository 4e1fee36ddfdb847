/** The unit files of one generation of an app. Pure and byte-stable: same input, same bytes. */
import type { AppManifest } from '../../catalog/index.ts'
import { OrchestratorError } from '../errors.ts'
import { networkFile, targetUnit } from '../names.ts'
import { ownValues } from './app-values.ts'
import { renderContainer } from './container.ts'
import { descriptive } from './escape.ts'
import { type UnitFile, type UnitSection, writeUnit } from './file.ts'
import { assertKeysSupported } from './keys.ts'
import { type OwnNetwork, ownNetworks } from './networks.ts'
import type { Values } from './values.ts'

/** systemd reads lines of up to 1 MiB, and Quadlet puts everything on one, where a backslash or a quote takes two bytes. */
const UNIT_BYTES_MAX = 500_000

export interface RenderInput {
  readonly manifest: AppManifest
  readonly generation: number
  /** Image ID (64 hex digits) by component name. */
  readonly imageIds: ReadonlyMap<string, string>
  /** Absolute; the folder of the app's data sets. */
  readonly dataFolder: string
  /** Absolute; where the files of this generation are: `renderedFiles` says which. */
  readonly filesFolder: string
  /** Absolute; while this file exists no component starts. */
  readonly holdPath: string
  /**
   * What `${config.*}`, `${needs.*.*}` and `${node.*}` stand for; `app.*` and `component.*` follow from the manifest.
   */
  readonly values: Values
  /** For example `5.4.2`. */
  readonly podmanVersion: string
}

export interface RenderedUnits {
  /** `.container` and `.network` files for Quadlet's folder. */
  readonly quadlet: readonly UnitFile[]
  /** Plain user unit. */
  readonly target: UnitFile
}

/**
 * @throws OrchestratorError `PODMAN_TOO_OLD`, `PATH_UNSUITABLE`, `UNIT_VALUE_REFUSED`, `VALUE_MISSING`
 */
export function renderApp(input: RenderInput): RenderedUnits {
  const { manifest } = input
  const components = Object.keys(manifest.components).sort()
  const values = ownValues(manifest, input.values)
  const files = [
    ...ownNetworks(manifest).map(network =>
      file(input, networkFile(network.name), networkSections(manifest, network)),
    ),
    ...components.map(name => {
      const { fileName, sections } = renderContainer(input, name, values)
      return file(input, fileName, sections)
    }),
  ]
  const target = file(input, targetUnit(manifest.id), [
    { name: 'Unit', lines: [['Description', descriptive(`${manifest.title} (app)`)]] },
    { name: 'Install', lines: [['WantedBy', 'default.target']] },
  ])
  return { quadlet: files, target }
}

function networkSections(manifest: AppManifest, network: OwnNetwork): readonly UnitSection[] {
  const description = descriptive(`${manifest.title} / ${network.title}`)
  return [
    { name: 'Unit', lines: [['Description', description]] },
    {
      name: 'Network',
      lines: [
        ['NetworkName', network.name],
        ...(network.isInternal ? ([['Internal', 'true']] as const) : []),
        ['Label', `app.id=${manifest.id}`],
      ],
    },
    { name: 'Quadlet', lines: [['DefaultDependencies', 'false']] },
  ]
}

function file(input: RenderInput, name: string, sections: readonly UnitSection[]): UnitFile {
  assertKeysSupported(sections, input.podmanVersion)
  const { id, version } = input.manifest
  const comment = `Written by archy for ${id} ${version}, generation ${input.generation}. Changes here are undone.`
  const text = writeUnit(comment, sections)
  if (Buffer.byteLength(text) <= UNIT_BYTES_MAX) return { name, text }
  throw new OrchestratorError(
    'UNIT_VALUE_REFUSED',
    `${name} would have ${Buffer.byteLength(text)} bytes; systemd reads no command of that length (at most ${UNIT_BYTES_MAX}); use files for long values`,
  )
}
