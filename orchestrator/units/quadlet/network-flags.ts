/** `Network=` of containers and pods: names, options, and the files of networks and containers. Pure. */
import { type Conversion, requireUnit } from './conversion.ts'
import { QuadletProblem } from './problem.ts'

/** @throws QuadletProblem */
export function networkFlags(conversion: Conversion): readonly string[] {
  return conversion.own.all('Network').flatMap(value => ['--network', resolve(conversion, value)])
}

function resolve(conversion: Conversion, value: string): string {
  const [, name = '', kind, options] = /^([^:]*\.(network|container))(?::(.*))?$/s.exec(value) ?? []
  if (kind === undefined) return value
  const unit = conversion.units.get(name)
  if (unit === undefined) throw new QuadletProblem(`requested Quadlet unit ${name} was not found`)
  if (unit.resource === '') throw new QuadletProblem(`cannot get the resource name of ${name}`)
  const resource = requireUnit(conversion, unit)
  if (kind === 'network') return options === undefined ? resource : `${resource}:${options}`
  if (options === undefined) return `container:${resource}`
  throw new QuadletProblem(
    "extra options are not supported when joining another container's network",
  )
}
