/** What the secrets of an app are, told from what its containers were given. Pure. */
import { type AppManifest, parseTemplate } from '../../catalog/index.ts'

export interface Known {
  /** Environment of each component, with the values that Podman hides. */
  readonly env: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Content of secret files, by component and path: `web /run/secret`. */
  readonly files: ReadonlyMap<string, string>
}

export interface Learned {
  readonly values: ReadonlyMap<string, string>
  /** One sentence for each secret that has two values, or that cannot be told. */
  readonly problems: readonly string[]
}

/** Every value must be known, and be the same wherever it is used: a new one would lock the app out of its own data. */
export function learnSecrets(manifest: AppManifest, known: Known): Learned {
  const values = new Map<string, string>()
  const problems: string[] = []
  const learn = (name: string, value: string, where: string): void => {
    const before = values.get(name)
    if (before === undefined) values.set(name, value)
    else if (before !== value) {
      problems.push(`the secret ${name} has another value in ${where} than elsewhere`)
    }
  }
  for (const [component, { env, secretFiles }] of Object.entries(manifest.components)) {
    for (const [key, template] of Object.entries(env)) {
      const seen = known.env.get(component)?.get(key)
      const solved = seen === undefined ? undefined : solveTemplate(template, seen)
      if (solved !== undefined) learn(solved.name, solved.value, `${component} ${key}`)
    }
    for (const { secret, path } of secretFiles) {
      const seen = known.files.get(`${component} ${path}`)
      // An editor leaves a line break at the end; a password has none.
      if (seen !== undefined) learn(secret, seen.replace(/\n$/, ''), `${component} ${path}`)
    }
  }
  const missing = Object.keys(manifest.secrets)
    .filter(name => !values.has(name) && isUsed(manifest, name))
    .map(name => `the secret ${name} cannot be told from what the containers were given`)
  return { values, problems: [...problems, ...missing] }
}

/** The value of the one secret in a template, from a text that was made of it; undefined when that cannot be told. */
export function solveTemplate(
  template: string,
  text: string,
): { readonly name: string; readonly value: string } | undefined {
  const parts = parseTemplate(template)
  const at = parts.findIndex(part => part.kind === 'secret')
  const part = parts[at]
  const others = parts.filter((_, index) => index !== at)
  // With a second unknown the border between the two is anybody's guess.
  if (part?.kind !== 'secret' || others.some(({ kind }) => kind !== 'literal')) return undefined
  const literal = (some: typeof parts): string =>
    some.map(each => (each.kind === 'literal' ? each.text : '')).join('')
  const before = literal(parts.slice(0, at))
  const after = literal(parts.slice(at + 1))
  if (text.length <= before.length + after.length) return undefined
  if (!text.startsWith(before) || !text.endsWith(after)) return undefined
  return { name: part.name, value: text.slice(before.length, text.length - after.length) }
}

function isUsed({ components }: AppManifest, name: string): boolean {
  return Object.values(components).some(
    ({ env, secretFiles, files }) =>
      secretFiles.some(({ secret }) => secret === name) ||
      [...Object.values(env), ...files.map(({ content }) => content)].some(template =>
        parseTemplate(template).some(part => part.kind === 'secret' && part.name === name),
      ),
  )
}
