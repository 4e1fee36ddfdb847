/** Rules inside one component: its name, image, secrets and health check. */
import { type AnyManifest, problem, type RuleProblem, unknownName } from './rule.ts'
import { readTemplate } from './template.ts'

/** Quadlet derives the service names of networks, volumes and pods with these endings. */
const RESERVED_NAME = /(^|-)(infra|network|pod|volume)$/

export function componentProblems(manifest: AnyManifest): readonly RuleProblem[] {
  return Object.entries(manifest.components).flatMap(([name, component]) => {
    const at = ['components', name] as const
    return [
      ...problem(at, RESERVED_NAME.test(name) && `the ending of ${name} is reserved by Quadlet`),
      ...problem([...at, 'image'], unknownName('image', component.image, manifest.images)),
      ...secretProblems(manifest, name),
      ...healthProblems(manifest, name),
    ]
  })
}

const SECRET_REFERENCE = /\$\{secrets\./

function secretProblems(manifest: AnyManifest, name: string): readonly RuleProblem[] {
  const component = manifest.components[name]
  if (component === undefined) return []
  const at = ['components', name] as const
  const inEnvironment = Object.entries(component.env).flatMap(([key, value]) => {
    const path = [...at, 'env', key]
    const { parts, problems } = readTemplate(value)
    const names = parts.flatMap(part => (part.kind === 'secret' ? part.name : []))
    return [
      ...problems.flatMap(message => problem(path, message)),
      ...names.flatMap(secret => problem(path, unknownName('secret', secret, manifest.secrets))),
    ]
  })
  const inFiles = component.secretFiles.flatMap(({ secret }, index) =>
    problem(
      [...at, 'secretFiles', index, 'secret'],
      unknownName('secret', secret, manifest.secrets),
    ),
  )
  const inArguments = (['entrypoint', 'command'] as const).flatMap(field =>
    (component[field] ?? []).flatMap((text, index) =>
      problem(
        [...at, field, index],
        SECRET_REFERENCE.test(text) &&
          'secrets are not filled in here, where every process could read them; use env or secretFiles',
      ),
    ),
  )
  return [...inEnvironment, ...inFiles, ...inArguments]
}

function healthProblems(manifest: AnyManifest, name: string): readonly RuleProblem[] {
  const component = manifest.components[name]
  const health = component?.health
  if (component === undefined || health === undefined) return []
  const path = ['components', name, 'health']
  const probes = (['exec', 'http', 'tcp'] as const).filter(kind => health[kind] !== undefined)
  const asked = health.http?.port ?? health.tcp?.port
  const isPublished = component.ports.some(p => p.host === asked && p.protocol === 'tcp')
  return [
    ...problem(path, probes.length === 0 && 'needs one of exec, http and tcp'),
    ...problem(path, probes.length > 1 && `has ${probes.join(' and ')}; only one is possible`),
    ...problem(
      path,
      asked !== undefined &&
        !isPublished &&
        `asks port ${asked}, which is not a tcp host port of components.${name}`,
    ),
  ]
}
