/**
 * The assertions in the comments of Podman's fixtures, and whether a predicted service meets them.
 * @see containers/podman v5.4.2, test/e2e/quadlet_test.go, for what each of them means
 */
import { valuesOf } from '../../../orchestrator/units/file.ts'
import { commandOf, type PredictedService } from '../../../orchestrator/units/predict.ts'
import { reading } from '../../../orchestrator/units/quadlet/reading.ts'

export interface Assertion {
  readonly name: string
  readonly isInverted: boolean
  readonly args: readonly string[]
  readonly line: string
}

export interface Outcome {
  /** `undefined`: no service was made. */
  readonly service: PredictedService | undefined
  readonly problem: string | undefined
}

type Check = (args: readonly string[], service: PredictedService) => boolean

export function parseAssertions(text: string): readonly Assertion[] {
  return text.split('\n').flatMap(line => {
    if (!line.startsWith('##')) return []
    const [word = '', ...args] = shellWords(line.slice(2))
    const isInverted = word.startsWith('!')
    const name = (isInverted ? word.slice(1) : word).replace(/^assert-/, '')
    return { name, isInverted, args: args.map(unescapeBlanks), line }
  })
}

/** The lines of the assertions that do not hold. */
export function failedAssertions(
  assertions: readonly Assertion[],
  outcome: Outcome,
): readonly string[] {
  const mustFail = assertions.some(({ name }) => name === 'failed')
  const isAsWanted = mustFail === (outcome.service === undefined)
  return [
    ...(isAsWanted ? [] : [mustFail ? 'a service was made' : `none was made: ${outcome.problem}`]),
    ...assertions
      .filter(assertion => holds(assertion, outcome) === assertion.isInverted)
      .map(({ line }) => line),
  ]
}

function holds({ name, args }: Assertion, { service, problem }: Outcome): boolean {
  if (name === 'failed') return service === undefined
  if (name === 'stderr-contains') return (problem ?? '').includes(args[0] ?? '')
  const check = CHECKS[name]
  if (check === undefined) throw new Error(`unknown assertion ${name}`)
  return service !== undefined && check(args, service)
}

const equals = (wanted: string, found: string) => wanted === found
const matches = (wanted: string, found: string) => new RegExp(wanted).test(found)

/** `args` one after another somewhere in the command. */
const inCommand =
  (key: string, isEqual = equals): Check =>
  (args, service) =>
    includesRun(commandOf(service, key), args, isEqual)

const atEnd =
  (key: string, isEqual = equals): Check =>
  (args, service) => {
    const argv = commandOf(service, key)
    const end = argv.slice(argv.length - args.length)
    return argv.length >= args.length && includesRun(end, args, isEqual)
  }

/** Before the verb, which is the first argument of the assertion. */
const beforeVerb =
  (key: string): Check =>
  ([verb = '', ...args], service) => {
    const argv = commandOf(service, key)
    return includesRun(argv.slice(0, argv.indexOf(verb)), args, equals)
  }

/** An option whose value is a list: the same entries in any order. */
const withList =
  (isEqual = equals): Check =>
  ([option = '', separator = '', wanted = ''], service) => {
    const argv = commandOf(service, 'ExecStart')
    const entries = wanted.split(separator).sort()
    return argv.some((word, index) => {
      const found = (argv[index + 1] ?? '').split(separator).sort()
      return (
        word === option &&
        found.length === entries.length &&
        entries.every((entry, at) => isEqual(entry, found[at] ?? ''))
      )
    })
  }

const keyIs =
  (isEqual: (wanted: string, found: string) => boolean): Check =>
  ([section = '', key = '', ...wanted], { sections }) => {
    const found = reading(sections, section).all(key)
    return (
      found.length === wanted.length && wanted.every((each, at) => isEqual(each, found[at] ?? ''))
    )
  }

const lastKey =
  (isMet: (wanted: string, found: string) => boolean): Check =>
  ([section = '', key = '', wanted = ''], { sections }) => {
    const found = valuesOf(sections, section, key).at(-1)
    return found !== undefined && isMet(wanted, found)
  }

const CHECKS: Readonly<Record<string, Check>> = {
  'podman-args': inCommand('ExecStart'),
  'podman-args-regex': inCommand('ExecStart', matches),
  'podman-final-args': atEnd('ExecStart'),
  'podman-final-args-regex': atEnd('ExecStart', matches),
  'podman-args-key-val': withList(),
  'podman-args-key-val-regex': withList(matches),
  'podman-global-args': beforeVerb('ExecStart'),
  'podman-stop-global-args': beforeVerb('ExecStop'),
  'podman-stop-post-global-args': beforeVerb('ExecStopPost'),
  'podman-stop-post-args': inCommand('ExecStopPost'),
  'podman-pre-args': inCommand('ExecStartPre'),
  'podman-pre-args-regex': inCommand('ExecStartPre', matches),
  'key-is': keyIs(equals),
  'key-is-regex': keyIs(matches),
  'key-is-empty': ([section = '', key = ''], { sections }) =>
    reading(sections, section).all(key).length === 0,
  'key-contains': lastKey((wanted, found) => found.includes(wanted)),
  'key-not-contains': (args, service) =>
    !lastKey((wanted, found) => found.includes(wanted))(args, service),
  'last-key-is-regex': lastKey(matches),
  symlink: ([path, target], { links }) =>
    links.some(link => link.path === path && link.target === target),
}

function includesRun(
  argv: readonly string[],
  run: readonly string[],
  isEqual: (wanted: string, found: string) => boolean,
): boolean {
  if (run.length === 0) return false
  return argv.some((_, start) =>
    run.every((word, at) => start + at < argv.length && isEqual(word, argv[start + at] ?? '')),
  )
}

function unescapeBlanks(text: string): string {
  return text.replaceAll('\\n', '\n').replaceAll('\\t', '\t')
}

/** Words as a shell splits them: quotes, and a backslash outside single quotes. */
function shellWords(line: string): readonly string[] {
  const words = [...line.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g)]
  return words.map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
      (_, single?: string, double?: string, escaped?: string) =>
        single ?? double?.replaceAll(/\\(.)/g, '$1') ?? escaped ?? '',
    ),
  )
}
