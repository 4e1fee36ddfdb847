/** What a manifest will look like on a node, for a machine that is none: units, and the commands that they come to. Pure. */
import type { AppManifest } from '../../catalog/index.ts'
import type { UnitFile } from './file.ts'
import { commandWords, predictServices } from './predict.ts'
import { renderApp } from './render.ts'
import type { Values } from './values.ts'

export interface Preview {
  /** Quadlet's files, then the target. */
  readonly units: readonly UnitFile[]
  /** The predicted command of each service, as Podman gets it; `%t` is the runtime folder of the user. */
  readonly commands: readonly { readonly service: string; readonly argv: readonly string[] }[]
  /** True when zeros stand for the ID of an image: an author's manifest has none. */
  readonly hasUnknownImages: boolean
}

export interface PreviewOptions {
  readonly podmanVersion: string
  /** Of the images, for one kind of processor. */
  readonly platform: 'amd64' | 'arm64'
}

/** Folders of a node whose user is called archy; where the state is depends on the machine. */
const DATA = '/home/archy/.local/share/archipelago/apps'
const STATE = '/home/archy/.local/state/archipelago/orchestrator'
const UNKNOWN_IMAGE = '0'.repeat(64)

/**
 * What only a node knows stands in angle brackets: `<node.tz>`, `<needs.db.password>`, a setting without a default.
 * @throws OrchestratorError as `renderApp`
 */
export function previewApp(manifest: AppManifest, options: PreviewOptions): Preview {
  const images = imageIds(manifest, options.platform)
  const { quadlet, target } = renderApp({
    manifest,
    generation: 1,
    imageIds: images,
    dataFolder: `${DATA}/${manifest.id}`,
    filesFolder: `${STATE}/files/${manifest.id}/1`,
    holdPath: `${STATE}/hold/${manifest.id}`,
    podmanVersion: options.podmanVersion,
    values: placeholders(manifest),
  })
  const host = { folder: '/home/archy/.config/containers/systemd', hasDevice: () => true }
  const { services } = predictServices(quadlet, host)
  const commands = services.map(service => ({
    service: service.name,
    argv: commandWords(service, 'ExecStart'),
  }))
  const hasUnknownImages = [...images.values()].includes(UNKNOWN_IMAGE)
  return { units: [...quadlet, target], commands, hasUnknownImages }
}

function imageIds(manifest: AppManifest, platform: 'amd64' | 'arm64'): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(manifest.components).map(([name, { image }]) => {
      const config = manifest.images[image]?.platforms[platform]?.config.sha256
      return [name, config?.replace('sha256:', '') ?? UNKNOWN_IMAGE]
    }),
  )
}

function placeholders(manifest: AppManifest): Values {
  const unknown = (reference: string): [string, string] => [reference, `<${reference}>`]
  const settings = Object.entries(manifest.config).map(([name, field]): [string, string] =>
    field.default === undefined
      ? unknown(`config.${name}`)
      : [`config.${name}`, String(field.default)],
  )
  const node = ['node.hostname', 'node.tz', 'node.lan-address'].map(unknown)
  return new Map([...settings, ...node])
}
