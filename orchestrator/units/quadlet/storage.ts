/** `Volume=` and `Mount=`: where they come from, and which units and mounts must be there first. Pure. */
import { absolutePath, type Conversion, requireUnit } from './conversion.ts'
import { QuadletProblem } from './problem.ts'

/** @throws QuadletProblem */
export function volumeFlags(conversion: Conversion): readonly string[] {
  return conversion.own.all('Volume').flatMap(volume => {
    const [first = '', target, ...rest] = volume.split(':')
    if (target === undefined) return ['-v', first]
    if (first === '') return ['-v', target]
    const source = storageSource(conversion, first, /\.volume$/)
    return ['-v', [source, target, ...rest].join(':')]
  })
}

function storageSource(conversion: Conversion, given: string, file: RegExp): string {
  const source = given.startsWith('.') ? absolutePath(conversion, given) : given
  if (source.startsWith('/')) {
    conversion.draft.add('Unit', 'RequiresMountsFor', source)
    return source
  }
  if (!file.test(source)) return source
  const unit = conversion.units.get(source)
  if (unit === undefined) {
    throw new QuadletProblem(`requested Quadlet source ${source} was not found`)
  }
  return requireUnit(conversion, unit)
}

const TYPES_WITH_SOURCE = new Set(['volume', 'bind', 'glob', 'image'])

/** @throws QuadletProblem */
export function mountFlags(conversion: Conversion): readonly string[] {
  return conversion.own.args('Mount').flatMap(mount => ['--mount', resolveMount(conversion, mount)])
}

function resolveMount(conversion: Conversion, mount: string): string {
  const fields = readFields(mount)
  const type = fields.find(field => field.startsWith('type='))?.slice('type='.length)
  if (type === undefined || fields.length < 2) {
    throw new QuadletProblem(
      'incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>,[src=<host-dir|volume-name>,]target=<ctr-dir>[,options]',
    )
  }
  if (!TYPES_WITH_SOURCE.has(type)) return mount
  const resolved = fields
    .filter(field => !field.startsWith('type='))
    .map(field => {
      const [, source] = /^(?:source|src)=(.*)$/s.exec(field) ?? []
      if (source === undefined) return field
      return `source=${storageSource(conversion, source, /\.(volume|image)$/)}`
    })
  return writeFields([`type=${type}`, ...resolved])
}

/** One line of comma-separated values; a field in double quotes may hold commas. */
function readFields(line: string): readonly string[] {
  const fields: string[] = []
  for (const [, quoted, plain = ''] of line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)) {
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
  }
  return line.endsWith(',') ? fields : fields.slice(0, -1)
}

function writeFields(fields: readonly string[]): string {
  return fields
    .map(field => (/[",\r\n]|^ /.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(',')
}
