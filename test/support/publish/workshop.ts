/** A folder with room for one origin and some apps, gone after the test. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LayoutOptions, type WrittenLayout, writeLayout } from './oci-layout.ts'

export interface Workshop extends AsyncDisposable {
  readonly path: string
  readonly origin: string
  /** Writes an app folder with one image, `web`, in `image/`; `manifest` is added to the author manifest. */
  app(version: string, options?: AppOptions): Promise<WrittenApp>
}

export interface AppOptions extends LayoutOptions {
  readonly id?: string
  /** YAML that replaces the default component. */
  readonly components?: string
  /** YAML of the image. */
  readonly image?: string
}

export interface WrittenApp extends WrittenLayout {
  readonly folder: string
  readonly layout: string
}

/** 2026-01-01, a time at which nothing that the tests sign is expired. */
export const NOW_MS = Date.UTC(2026, 0, 1)

export async function openWorkshop(): Promise<Workshop> {
  const path = await mkdtemp(join(tmpdir(), 'archy-publish-'))
  let count = 0
  return {
    path,
    origin: join(path, 'origin'),
    async app(version, options = {}) {
      count += 1
      const folder = join(path, `app-${count}`)
      const layout = join(folder, 'image')
      await mkdir(folder)
      const written = await writeLayout(layout, options)
      await writeFile(join(folder, 'archy.yaml'), manifestText(version, options))
      return { ...written, folder, layout }
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

function manifestText(version: string, options: AppOptions): string {
  return [
    'apiVersion: archy.app/v1',
    `id: ${options.id ?? 'hello'}`,
    `version: "${version}"`,
    'title: Hello',
    'data: { files: {} }',
    `images: { web: ${options.image ?? '{ oci: image }'} }`,
    'components:',
    options.components ?? '  main: { image: web }',
    '',
  ].join('\n')
}
