/** Rules for a component itself: its name, its image, the secrets it gets as files, and what makes it a job. */
import { type AnyManifest, problem, type RuleProblem, unknownName } from './rule.ts'

/** Quadlet derives the service names of networks, volumes and pods with these endings. */
const RESERVED_NAME = /(^|-)(infra|network|pod|volume)$/

export function componentProblems(manifest: AnyManifest): readonly RuleProblem[] {
  const components = Object.entries(manifest.components)
  const hasService = components.some(([, { role }]) => role === 'service')
  return [
    ...problem(
      'job.alone',
      ['components'],
      !hasService && 'every component is a job; one with role: service is needed',
    ),
    ...components.flatMap(([name, component]) => [
      ...ownProblems(manifest, name, component),
      ...(component.role === 'job' ? jobProblems(name, component) : []),
    ]),
  ]
}

function ownProblems(
  manifest: AnyManifest,
  name: string,
  component: AnyManifest['components'][string],
): readonly RuleProblem[] {
  const at = ['components', name] as const
  return [
    ...problem(
      'component.name',
      at,
      RESERVED_NAME.test(name) && `the ending of ${name} is reserved by Quadlet; give another name`,
    ),
    ...problem(
      'component.image',
      [...at, 'image'],
      unknownName('image', component.image, manifest.images),
    ),
    ...component.secretFiles.flatMap(({ secret }, index) =>
      problem(
        'secret.exists',
        [...at, 'secretFiles', index, 'secret'],
        unknownName('secret', secret, manifest.secrets),
      ),
    ),
  ]
}

/** A job ends: nobody can ask it anything later. */
function jobProblems(
  name: string,
  component: AnyManifest['components'][string],
): readonly RuleProblem[] {
  const at = ['components', name] as const
  const { exec, http, tcp, startup, live } = component.health ?? {}
  const hasProbe = [exec, http, tcp, startup, live].some(probe => probe !== undefined)
  return [
    ...problem(
      'job.ports',
      [...at, 'ports'],
      component.ports.length > 0 && 'a job ends, so that its ports would be dead; delete them',
    ),
    ...problem(
      'job.health',
      [...at, 'health'],
      hasProbe &&
        'a job is judged by its exit code; keep only startBudget, and let others wait with condition: completed',
    ),
  ]
}
