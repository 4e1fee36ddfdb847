/** What a right manifest could do without: things that are declared and never used. Pure; nothing is refused for it. */
import type { RuleProblem } from './rule.ts'
import type { AuthorManifest } from './schema.ts'
import { readTemplate } from './template.ts'

export type Advice = Pick<RuleProblem, 'path' | 'message'>

/** One piece of advice for each declared thing that nothing uses. */
export function adviceFor(manifest: AuthorManifest): readonly Advice[] {
  const used = usedNames(manifest)
  return (['secrets', 'config', 'data', 'images', 'networks'] as const).flatMap(field =>
    Object.keys(manifest[field])
      .filter(name => !used[field].has(name))
      .map(name => ({ path: [field, name], message: `nothing uses ${field}.${name}` })),
  )
}

function usedNames(manifest: AuthorManifest) {
  const components = Object.values(manifest.components)
  const steps = Object.values(manifest.hooks).flat()
  const rendered = steps.flatMap(({ render }) => render ?? [])
  const texts = [
    ...components.flatMap(({ env, files }) => [
      ...Object.values(env),
      ...files.map(({ content }) => content),
    ]),
    ...Object.values(manifest.provides).flatMap(({ values }) => Object.values(values)),
    ...rendered.map(({ content }) => content),
  ]
  const references = texts.flatMap(text => readTemplate(text).parts)
  const named = (kind: 'secret' | 'config') =>
    references.flatMap(part => (part.kind === kind ? part.name : []))
  const files = components.flatMap(({ secretFiles }) => secretFiles.map(({ secret }) => secret))
  const mounted = components.flatMap(({ mounts }) =>
    mounts.flatMap(mount => ('data' in mount ? mount.data : [])),
  )
  return {
    secrets: new Set([...named('secret'), ...files]),
    config: new Set(named('config')),
    data: new Set([...mounted, ...rendered.map(({ data }) => data)]),
    images: new Set(components.map(({ image }) => image)),
    networks: new Set(components.flatMap(({ networks }) => Object.keys(networks ?? {}))),
  }
}
