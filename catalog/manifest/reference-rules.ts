/** Rules for references in texts: they exist, and they stand only where they are filled in. */
import { type AnyManifest, problem, type RuleProblem, unknownName } from './rule.ts'
import { type Reference, readTemplate, referenceText } from './template.ts'

/** A text of the manifest that is filled in. */
interface Text {
  readonly path: readonly PropertyKey[]
  readonly text: string
  /** Kinds of references that are not possible here, with the reason and what to write instead. */
  readonly refused?: Partial<Readonly<Record<Reference['kind'], string>>>
}

const ENV_OR_FILES = 'use env, files or secretFiles of the component'
const IN_DATA = `it would stand in the data of the app and in every copy of it; ${ENV_OR_FILES}`
const FROM_ANOTHER = 'only what is this app’s own can be provided'

export function referenceProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return [
    ...[
      ...componentTexts(manifest),
      ...providedTexts(manifest),
      ...renderedTexts(manifest),
    ].flatMap(text => textProblems(manifest, text)),
    ...argumentTexts(manifest).flatMap(argumentProblems),
  ]
}

function componentTexts({ components }: AnyManifest): readonly Text[] {
  return Object.entries(components).flatMap(([name, { env, files }]) => [
    ...Object.entries(env).map(([key, text]) => ({ path: ['components', name, 'env', key], text })),
    ...files.map(({ content }, index) => ({
      path: ['components', name, 'files', index, 'content'],
      text: content,
    })),
  ])
}

function providedTexts({ provides }: AnyManifest): readonly Text[] {
  return Object.entries(provides).flatMap(([name, { values }]) =>
    Object.entries(values).map(([key, text]) => ({
      path: ['provides', name, 'values', key],
      text,
      refused: { need: FROM_ANOTHER },
    })),
  )
}

function renderedTexts({ hooks }: AnyManifest): readonly Text[] {
  return Object.entries(hooks).flatMap(([point, steps]) =>
    steps.flatMap(({ render }, index) =>
      render === undefined
        ? []
        : {
            path: ['hooks', point, index, 'render', 'content'],
            text: render.content,
            refused: { secret: IN_DATA, need: IN_DATA },
          },
    ),
  )
}

function textProblems(manifest: AnyManifest, { path, text, refused = {} }: Text): RuleProblem[] {
  return [
    ...readTemplate(text).problems.flatMap(message => problem('reference.form', path, message)),
    ...referencesIn(text).flatMap(reference => {
      const why = refused[reference.kind]
      if (why === undefined) {
        return problem('reference.exists', path, unknownReference(manifest, reference))
      }
      const shown = referenceText(reference)
      return problem('reference.place', path, `\${${shown}} is not possible here: ${why}`)
    }),
  ]
}

function referencesIn(text: string): readonly Reference[] {
  return readTemplate(text).parts.flatMap(part => (part.kind === 'literal' ? [] : part))
}

function unknownReference(manifest: AnyManifest, reference: Reference): string | undefined {
  switch (reference.kind) {
    case 'secret':
      return unknownName('secret', reference.name, manifest.secrets)
    case 'config':
      return unknownName('config field', reference.name, manifest.config)
    case 'need':
      return unknownName('need', reference.alias, manifest.needs)
    case 'component':
      return unknownName('component', reference.name, manifest.components)
    case 'app':
    case 'node':
      return undefined
  }
}

/** Programs with their arguments: every process of the machine can read them, and nothing is filled in. */
function argumentTexts({ components, hooks }: AnyManifest): readonly Text[] {
  const lists = [
    ...Object.entries(components).flatMap(([name, component]) => {
      const at = ['components', name]
      const { entrypoint, command, health } = component
      return [
        { path: [...at, 'entrypoint'], argv: entrypoint },
        { path: [...at, 'command'], argv: command },
        { path: [...at, 'health', 'exec'], argv: health?.exec },
        { path: [...at, 'health', 'startup', 'exec'], argv: health?.startup?.exec },
        { path: [...at, 'health', 'live', 'exec'], argv: health?.live?.exec },
      ]
    }),
    ...Object.entries(hooks).flatMap(([point, steps]) =>
      steps.flatMap(({ exec, waitFor }, index) => [
        { path: ['hooks', point, index, 'exec', 'argv'], argv: exec?.argv },
        { path: ['hooks', point, index, 'waitFor', 'exec', 'argv'], argv: waitFor?.exec?.argv },
      ]),
    ),
  ]
  return lists.flatMap(({ path, argv = [] }) =>
    argv.map((text, index) => ({ path: [...path, index], text })),
  )
}

function argumentProblems({ path, text }: Text): readonly RuleProblem[] {
  const found = referencesIn(text)[0]
  if (found === undefined) return []
  const shown = referenceText(found)
  return problem(
    'reference.place',
    path,
    `\${${shown}} is not filled in here, where every process could read it; ${ENV_OR_FILES}, ` +
      'and let the program read it from there',
  )
}
