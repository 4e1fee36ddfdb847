/** Manifests for rendering: an author's file with image IDs made up, because no image is needed to write units. */
import { readFile } from 'node:fs/promises'
import type { AppManifest } from '../../../catalog/index.ts'
import { parseAuthorManifest } from '../../../catalog/manifest/parse.ts'
import type { RenderInput } from '../../../orchestrator/units/render.ts'

export async function readForRender(file: string): Promise<AppManifest> {
  return forRender(await readFile(file, 'utf8'), file)
}

export function forRender(text: string, file = 'archy.yaml'): AppManifest {
  return { ...parseAuthorManifest(text, file), images: {} }
}

export function renderInput(manifest: AppManifest, over: Partial<RenderInput> = {}): RenderInput {
  const names = Object.keys(manifest.components).sort()
  return {
    manifest,
    generation: 7,
    imageIds: new Map(names.map((name, index) => [name, String(index + 1).repeat(64)])),
    dataFolder: `/home/owner/data/${manifest.id}`,
    filesFolder: `/home/owner/state/files/${manifest.id}/7`,
    holdPath: `/home/owner/state/hold/${manifest.id}`,
    values: new Map(),
    podmanVersion: '5.4.2',
    ...over,
  }
}
