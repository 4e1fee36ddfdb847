/**
 * Builds the app folders of `fixtures/apps`: the manifest with an OCI image layout for each image it names.
 * Real ones are made of Debian packages and run; stubs have the same form without any program, for machines that
 * cannot host the lab, where containers are never started.
 */
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBase, labCacheFolder } from '../lab/index.ts'
import {
  keyOf,
  makeWorkFolder,
  moveIntoPlace,
  readResult,
  resultFolder,
  writeResult,
} from './cache.ts'
import { closureOf } from './closure.ts'
import { unpackPackages } from './debian-packages.ts'
import { arrangeLayer, type FileEntry, fileOf, folderOf, type LayerEntry } from './entry.ts'
import { type Layer, writeLayer } from './layer.ts'
import { type ImageDigests, writeLayout } from './layout.ts'
import {
  APP_USER_ID,
  APPS,
  type AppName,
  type ImageRecipe,
  type LayerRecipe,
  type OwnFile,
  PACKAGES,
} from './recipes.ts'
import { skeletonEntries } from './skeleton.ts'

const FIXTURES = join(import.meta.dirname, '../../../fixtures/apps')

/**
 * `real` images run; building them needs apt, a network and the lab's base, which is built first where it is missing.
 * `stub` images need nothing and are the same on every machine.
 */
export type ImageMode = 'real' | 'stub'

export interface BuildOptions {
  readonly mode: ImageMode
  /** Holds results and packages between runs; by default a folder in the lab's cache. */
  readonly cacheFolder?: string
  readonly onProgress?: (line: string) => void
}

export interface AppFolders {
  /** Ready for `archy origin add`. */
  readonly folders: Readonly<Record<AppName, string>>
  /** `<app>/<image key>` → digests. */
  readonly images: Readonly<Record<string, ImageDigests>>
  /** Debian packages with versions; empty for stubs. */
  readonly packages: readonly string[]
  /** False for stubs: containers of their images cannot start. */
  readonly runnable: boolean
}

type Result = Pick<AppFolders, 'images' | 'packages'>

/**
 * Returns the app folders for the present inputs, built now or at an earlier run. A build that is killed leaves
 * nothing that a later one takes for a result.
 */
export async function buildAppFolders(options: BuildOptions): Promise<AppFolders> {
  const { mode, cacheFolder = join(labCacheFolder(), 'images'), onProgress = () => {} } = options
  if (mode === 'real' && process.arch !== 'x64') {
    throw new Error(`app images can be built on x64 only; this machine is ${process.arch}`)
  }
  const base = mode === 'real' ? (await buildBase(onProgress)).folder : undefined
  // The status file tells the base's packages with their versions.
  const status = base === undefined ? [] : [await readFile(join(base, 'var/lib/dpkg/status'))]
  const key = await keyOf([FIXTURES, import.meta.dirname], status)
  const final = resultFolder(cacheFolder, `${mode}-${key}`)
  const known = (await readResult(final)) as Result | undefined
  if (known !== undefined) return describe(final, mode, known)

  const work = await makeWorkFolder(cacheFolder)
  try {
    const tree = join(work, 'tree')
    let packages: readonly string[] = []
    if (base !== undefined) {
      onProgress(`images: fetching ${PACKAGES.length} Debian packages`)
      packages = await unpackPackages(PACKAGES, { base, cache: cacheFolder, tree })
    }
    const images = await buildImages(work, base === undefined ? [] : [tree, base], onProgress)
    const result: Result = { images, packages }
    await writeResult(join(work, 'apps'), result)
    await moveIntoPlace(join(work, 'apps'), final)
    onProgress('images: ready')
    return describe(final, mode, result)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function buildImages(
  work: string,
  roots: readonly string[],
  onProgress: (line: string) => void,
): Promise<Result['images']> {
  const builder = createLayerBuilder(join(work, 'layers'), roots)
  const images: Record<string, ImageDigests> = {}
  for (const [app, recipes] of Object.entries(APPS)) {
    const folder = join(work, 'apps', app)
    await mkdir(folder, { recursive: true })
    await copyFile(join(FIXTURES, app, 'archy.yaml'), join(folder, 'archy.yaml'))
    for (const [key, recipe] of Object.entries<ImageRecipe>(recipes)) {
      onProgress(`images: building ${app}/${key}`)
      const layers = await builder.layersOf(recipe)
      const image = { architecture: 'amd64', run: recipe.run, layers } as const
      const layout = join(folder, 'images', key)
      images[`${app}/${key}`] = await writeLayout(layout, { ...image, refName: `${app}-${key}` })
    }
  }
  return images
}

/** Builds each layer recipe once, however many images share it. */
function createLayerBuilder(folder: string, roots: readonly string[]) {
  const built = new Map<LayerRecipe, { layer: Layer; paths: ReadonlySet<string> }>()
  return {
    async layersOf(recipe: ImageRecipe): Promise<readonly Layer[]> {
      const below = new Set<string>()
      const layers: Layer[] = []
      for (const part of recipe.layers) {
        let entry = built.get(part)
        if (entry === undefined) {
          const entries = arrangeLayer(await entriesOf(part, roots, below), below)
          const paths = new Set(entries.map(({ path }) => path))
          entry = { layer: await writeLayer(folder, entries), paths }
          built.set(part, entry)
        }
        layers.push(entry.layer)
        for (const path of entry.paths) below.add(path)
      }
      return layers
    },
  }
}

async function entriesOf(
  recipe: LayerRecipe,
  roots: readonly string[],
  below: ReadonlySet<string>,
): Promise<readonly LayerEntry[]> {
  const owner = { mode: 0o700, uid: APP_USER_ID, gid: APP_USER_ID }
  return [
    ...(recipe.skeleton ? skeletonEntries() : []),
    ...(await debianEntries(recipe, roots)).filter(({ path }) => !below.has(path)),
    ...(await Promise.all((recipe.own ?? []).map(ownEntry))),
    ...(recipe.appFolders ?? []).map(path => folderOf(path, owner)),
  ]
}

async function debianEntries(
  { name, debian = [], exclude = [] }: LayerRecipe,
  roots: readonly string[],
): Promise<readonly LayerEntry[]> {
  if (debian.length === 0) return []
  if (roots.length > 0) return await closureOf(debian, { roots, exclude })
  const text = `A stub: stands for ${debian.length} Debian files or folders; this image cannot run.\n`
  return [fileOf(`usr/share/doc/stub/${name}`, text)]
}

async function ownEntry({ path, from, mode }: OwnFile): Promise<FileEntry> {
  return fileOf(path, await readFile(join(FIXTURES, from)), { mode })
}

function describe(folder: string, mode: ImageMode, result: Result): AppFolders {
  const names = Object.keys(APPS) as AppName[]
  const folders = Object.fromEntries(names.map(name => [name, join(folder, name)]))
  return { ...result, folders: folders as Record<AppName, string>, runnable: mode === 'real' }
}
