/** How Quadlet splits a value into words, and how it writes words into the unit that systemd reads. Pure. */

const SEPARATOR = /[ \t\n\r]/
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
}
const NUMERIC_ESCAPE = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/
const CODE_POINT_MAX = 0x10_ff_ff

/**
 * Words of an argv: quotes are taken away and escapes are read, as in `ExecStart=`. An empty word ends the list: that is what
 * Quadlet 5.4.2 does. `undefined` for an escape that nobody knows; Quadlet then leaves the value out.
 */
export function splitArguments(value: string): readonly string[] | undefined {
  return splitWords(value, { areEscapesRead: true })
}

/** Words of a list such as `WantedBy=`: quotes are taken away, a backslash is a character like any other. */
export function splitList(value: string): readonly string[] {
  return splitWords(value, { areEscapesRead: false }) ?? []
}

function splitWords(
  value: string,
  { areEscapesRead }: { readonly areEscapesRead: boolean },
): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index] as string
    if (areEscapesRead && character === '\\') {
      if (index === value.length - 1) break
      const read = readEscape(value.slice(index + 1))
      if (read === undefined) return undefined
      word = (word ?? '') + read.text
      index += read.length
    } else if (quote !== '') {
      if (character === quote) quote = ''
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (SEPARATOR.test(character)) {
      if (word === '') return words
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  if (quote !== '' && !areEscapesRead) return undefined
  if (word !== undefined && word !== '') words.push(word)
  return words
}

function readEscape(after: string): { text: string; length: number } | undefined {
  const simple = SIMPLE_ESCAPES[after[0] ?? '']
  if (simple !== undefined) return { text: simple, length: 1 }
  const [whole, hex, short, long, octal] = NUMERIC_ESCAPE.exec(after) ?? []
  if (whole === undefined) return undefined
  const code =
    octal === undefined
      ? Number.parseInt(hex ?? short ?? long ?? '', 16)
      : Number.parseInt(octal, 8)
  const isByte = hex !== undefined || octal !== undefined
  if (code === 0 || code > (isByte ? 0xff : CODE_POINT_MAX)) return undefined
  return { text: String.fromCodePoint(code), length: whole.length }
}

/** White space, control characters, quotes and backslashes of ASCII. Neither `%` nor `$` nor `;`. */
const NEEDS_QUOTES = /[\s"'\\\p{Cc}]/u
const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\f': '\\f',
  '\\': '\\\\',
  '"': '\\"',
}

/** One command line of a unit. */
export function joinWords(words: readonly string[]): string {
  return words.map(word => (needsQuotes(word) ? `"${escapeWord(word)}"` : word)).join(' ')
}

function needsQuotes(word: string): boolean {
  return [...word].some(character => character <= '\x80' && NEEDS_QUOTES.test(character))
}

function escapeWord(word: string): string {
  return [...word]
    .map(character => {
      const escaped = ESCAPES[character]
      if (escaped !== undefined) return escaped
      const isControl = character <= '\x80' && /\p{Cc}/u.test(character)
      const code = character.codePointAt(0) ?? 0
      return isControl ? `\\x${code.toString(16).padStart(2, '0')}` : character
    })
    .join('')
}
