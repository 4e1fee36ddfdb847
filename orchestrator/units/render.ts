/** The unit files of one generation of an app. Pure and byte-stable: same input, same bytes. */
import type { AppManifest } from '../../catalog/index.ts'
import { networkFile, networkName, targetUnit } from '../names.ts'
import { renderContainer } from './container.ts'
import { descriptive } from './escape.ts'
import { type UnitFile, type UnitSection, writeUnit } from './file.ts'
import { assertKeysSupported } from './keys.ts'

export interface RenderInput {
  readonly manifest: AppManifest
  readonly generation: number
  /** Image ID (64 hex digits) by component name. */
  readonly imageIds: ReadonlyMap<string, string>
  /** Absolute; the folder of the app's data sets. */
  readonly dataFolder: string
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
 * @throws OrchestratorError `PODMAN_TOO_OLD`, `PATH_UNSUITABLE`, `UNIT_VALUE_REFUSED`
 */
export function renderApp(input: RenderInput): RenderedUnits {
  const { manifest } = input
  const components = Object.keys(manifest.components).sort()
  const files = [
    file(input, networkFile(manifest.id), networkSections(manifest)),
    ...components.map(name => {
      const { fileName, sections } = renderContainer(input, name)
      return file(input, fileName, sections)
    }),
  ]
  const target = file(input, targetUnit(manifest.id), [
    { name: 'Unit', lines: [['Description', descriptive(`${manifest.title} (app)`)]] },
    { name: 'Install', lines: [['WantedBy', 'default.target']] },
  ])
  return { quadlet: files, target }
}

function networkSections(manifest: AppManifest): readonly UnitSection[] {
  return [
    { name: 'Unit', lines: [['Description', descriptive(`${manifest.title} / network`)]] },
    {
      name: 'Network',
      lines: [
        ['NetworkName', networkName(manifest.id)],
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
  return { name, text: writeUnit(comment, sections) }
}
