/**
 * How a value is written so that the container gets exactly these bytes.
 * A value passes three readers: Quadlet's own file reader, its word splitter, and systemd's `ExecStart`. Quadlet's
 * output is quoted for systemd by Quadlet itself, except for `%` (specifiers) and `$` (variables).
 * @see systemd.syntax(7) "QUOTING", systemd.service(5) "COMMAND LINES"
 */
import { OrchestratorError } from '../errors.ts'

/** Control characters, and code points that Unicode reserves for no character: systemd ignores a line with one. */
const REFUSED_CHARACTERS = /[\p{Cc}\p{Noncharacter_Code_Point}]/u
/** What needs no quoting, no `%` and no `$`, and is no separator in `Volume=`: a colon is one. */
const PLAIN_PATH = /^\/[A-Za-z0-9._/@+-]*$/

/**
 * One word of `Exec=`, `Environment=` or `Label=`, always in double quotes. `what` names the value where it is refused.
 * @throws OrchestratorError `UNIT_VALUE_REFUSED`
 */
export function quoteWord(text: string, what?: string): string {
  const inner = expandable(text, what).replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  return `"${inner}"`
}

/**
 * Words of an argv that cannot be written as they are. At an empty one Quadlet 5.4.2 stops reading and drops the rest;
 * a lone semicolon, which Quadlet passes on without quotes, begins another command for systemd. So both are filled in by
 * systemd when the command starts, from these variables of its own.
 * @see systemd.service(5) "COMMAND LINES"; `npm run prove:escape` shows it on the real generator
 */
export const WORDS_IN_VARIABLES: ReadonlyMap<string, string> = new Map([
  ['', 'ARCHY_EMPTY'],
  [';', 'ARCHY_SEMICOLON'],
])

/** The value of `Exec=`. */
export function argvWords(argv: readonly string[]): string {
  const write = (word: string): string => {
    const variable = WORDS_IN_VARIABLES.get(word)
    return variable === undefined ? quoteWord(word) : `\${${variable}}`
  }
  return argv.map(write).join(' ')
}

/**
 * A whole value that Quadlet passes on to Podman as it stands (`HealthCmd=`, `Entrypoint=`): no quoting, but `%` and
 * `$` doubled.
 * @throws OrchestratorError `UNIT_VALUE_REFUSED`
 */
export function expandable(text: string, what?: string): string {
  return printable(text, what).replaceAll('%', '%%').replaceAll('$', '$$$$')
}

/** A value of systemd's own keys that are not command lines (`Description=`): only `%` is special. */
export function descriptive(text: string): string {
  return printable(text).replaceAll('%', '%%').replace(/\\+$/, '')
}

/** An argv as Podman reads it in `Entrypoint=` and `HealthCmd=`. */
export function jsonArgv(argv: readonly string[]): string {
  return expandable(JSON.stringify(argv))
}

/** @throws OrchestratorError `PATH_UNSUITABLE` for a path that cannot stand in a unit file as it is. */
export function unitPath(path: string): string {
  if (PLAIN_PATH.test(path)) return path
  throw new OrchestratorError(
    'PATH_UNSUITABLE',
    `the path ${JSON.stringify(path)} cannot stand in a unit file; use only letters, digits and . _ / @ + -`,
  )
}

function printable(text: string, what = 'a value'): string {
  if (!REFUSED_CHARACTERS.test(text) && text.isWellFormed()) return text
  throw new OrchestratorError(
    'UNIT_VALUE_REFUSED',
    `${what} holds a line break, a control character or a code point that is no character, which no unit file can carry; use files for such text`,
  )
}
