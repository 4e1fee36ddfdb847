/**
 * What a container gets from a word in a unit file: Quadlet's word splitter, then systemd's specifiers and variables.
 * Written from the manual pages systemd.syntax(7) and systemd.service(5), not from our own writer.
 */

/** What Quadlet 5.4.2 reads of a value: as systemd, but an empty word and all after it are lost. */
export function quadletWords(value: string): readonly string[] {
  const words = splitWords(value)
  const end = words.indexOf('')
  return end < 0 ? words : words.slice(0, end)
}

/** Splits a value at blanks outside quotes, as systemd does; a backslash makes the next character literal. */
export function splitWords(value: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index] as string
    if (character === '\\') {
      index += 1
      word = (word ?? '') + (value[index] ?? '')
    } else if (quote !== '') {
      if (character === quote) quote = ''
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (character === ' ') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  if (word !== undefined) words.push(word)
  return words
}

const VARIABLE = /^\$\{([A-Z_]+)\}$/

/**
 * `%%` and `$$` are one character each, and a word that is one of `variables` is its value; any other use would be filled in by
 * systemd, so it is an error here.
 */
export function expandWord(word: string, variables: Readonly<Record<string, string>> = {}): string {
  const value = variables[VARIABLE.exec(word)?.[1] ?? '']
  if (value !== undefined) return value
  if (/(^|[^%])(%%)*%($|[^%])/.test(word)) throw new Error(`systemd would fill in % in ${word}`)
  if (/(^|[^$])(\$\$)*\$($|[^$])/.test(word)) throw new Error(`systemd would fill in $ in ${word}`)
  return word.replaceAll('%%', '%').replaceAll('$$', '$')
}
