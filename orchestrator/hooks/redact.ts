/** Output of programs, made fit to be shown: bounded, and without the values of secrets. Pure. */

/** Enough to see why something failed, and little enough for a record. */
const SHOWN_CHARACTERS_MAX = 2000
/** Shorter values would blank out half of every text; generated ones have 16 characters at least. */
const SECRET_LENGTH_MIN = 4

export function redact(text: string, secrets: Iterable<string>): string {
  // The longest first: one value may hold another.
  const values = [...secrets]
    .filter(value => value.length >= SECRET_LENGTH_MIN)
    .sort((a, b) => b.length - a.length)
  // In one pass: what was put in for one value is never searched for another.
  const pattern = values.map(value => value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')
  const plain = pattern === '' ? text : text.replaceAll(new RegExp(pattern, 'g'), '[secret]')
  return plain.trim().slice(-SHOWN_CHARACTERS_MAX)
}
