/** What a container gets to read: environment variables, and files that the node writes. Pure. */
import type { AppManifest } from '../../catalog/index.ts'
import { secretName } from '../names.ts'
import { ownValues } from './app-values.ts'
import type { Rendering } from './container.ts'
import { quoteWord, unitPath } from './escape.ts'
import type { UnitLine } from './file.ts'
import { fillIn, type Values } from './values.ts'

/** A text file for one generation. Its owner is as the container sees it. */
export interface RenderedFile {
  readonly component: string
  /** Below the folder of the generation's files; mounted read-only from there. */
  readonly name: string
  readonly text: string
  readonly owner: { readonly uid: number; readonly gid: number }
  /** Four octal digits. */
  readonly mode: string
}

/**
 * The files of the app that hold no secret, to be written as `<filesFolder>/<name>` before the units of the generation
 * start. One with a secret in it is a Podman secret: see `secretTemplates`.
 * @throws OrchestratorError `VALUE_MISSING`
 */
export function renderedFiles(manifest: AppManifest, given: Values): readonly RenderedFile[] {
  const values = ownValues(manifest, given)
  return Object.entries(manifest.components)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([component, { files }]) =>
      files.flatMap(({ content, path, owner, mode }, index) => {
        const filled = fillIn(content, values)
        if (filled.kind === 'secret') return []
        return { component, name: fileName(component, index, path), text: filled.text, owner, mode }
      }),
    )
}

/** The number keeps two files apart that have the same name in different folders of the container. */
function fileName(component: string, index: number, path: string): string {
  return `${component}/${index}-${path.split('/').at(-1) ?? ''}`
}

/** A value that holds a secret never stands in the file: it becomes a Podman secret. */
export function environmentLines({ input, name, component, values }: Rendering): UnitLine[] {
  const { id } = input.manifest
  const variables = Object.entries(component.env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]): UnitLine => {
      const filled = fillIn(value, values)
      return filled.kind === 'secret'
        ? ['Secret', `${secretName(id, filled.template)},type=env,target=${key}`]
        : ['Environment', quoteWord(`${key}=${filled.text}`, `components.${name}.env.${key}`)]
    })
  const files = component.secretFiles.map(({ secret, path, owner }): UnitLine => {
    return secretMount(secretName(id, `\${secrets.${secret}}`), path, owner, '0400')
  })
  return [...variables, ...files]
}

export function fileLines({ input, name, component, values }: Rendering): UnitLine[] {
  return component.files.map(({ content, path, owner, mode }, index): UnitLine => {
    const filled = fillIn(content, values)
    if (filled.kind === 'secret') {
      return secretMount(secretName(input.manifest.id, filled.template), path, owner, mode)
    }
    const source = unitPath(`${input.filesFolder}/${fileName(name, index, path)}`)
    return ['Volume', `${source}:${unitPath(path)}:ro`]
  })
}

function secretMount(
  name: string,
  path: string,
  owner: { readonly uid: number; readonly gid: number },
  mode: string,
): UnitLine {
  const target = `target=${unitPath(path)},uid=${owner.uid},gid=${owner.gid},mode=${mode}`
  return ['Secret', `${name},type=mount,${target}`]
}
