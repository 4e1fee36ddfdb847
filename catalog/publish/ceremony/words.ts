/** A hash as words that two people read to each other: each four digits are two syllables, as in "babad dogin". Pure. */

const CONSONANTS = 'bdfghjklmnprstvz'
const VOWELS = 'aiou'

/** Sixteen bits as five letters, every one of which can be told from the others when spoken. @see Proquints, Wilkerson 2009 */
function wordOf(value: number): string {
  const letter = (shift: number): string => CONSONANTS[(value >> shift) & 15] ?? ''
  const vowel = (shift: number): string => VOWELS[(value >> shift) & 3] ?? ''
  return letter(12) + vowel(10) + letter(6) + vowel(4) + letter(0)
}

/** The first 96 bits of a hash (hex) in six words: a forger would need 2^96 tries to meet them. */
export function fingerprintWords(hash: string): string {
  const groups = hash.slice(0, 24).match(/.{4}/g) ?? []
  return groups.map(group => wordOf(Number.parseInt(group, 16))).join(' ')
}
