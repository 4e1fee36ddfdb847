/**
 * Checks that no value of a manifest is changed on its way into a container.
 * Goal: whatever an author writes, the container gets these very characters.
 * Method: random words go through our writer and through a reader written from systemd's manual.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import {
  argvWords,
  expandable,
  jsonArgv,
  quoteWord,
  WORDS_IN_VARIABLES,
} from '../../orchestrator/units/escape.ts'
import { readUnit, valuesOf, writeUnit } from '../../orchestrator/units/file.ts'
import { expandWord, quadletWords } from '../support/orchestrator/podman-words.ts'

/** Characters that some reader on the way gives a meaning, more often than others. */
const word = fc
  .array(
    fc.oneof(fc.constantFrom(...'%$"\'\\ #;{}=['), fc.string({ unit: 'binary', maxLength: 3 })),
  )
  .map(parts => parts.join('').replace(/\p{Cc}|\p{Cs}|\p{Noncharacter_Code_Point}/gu, ''))

/** Variables of systemd that stand for words which nothing else could carry. */
const VARIABLES = Object.fromEntries([...WORDS_IN_VARIABLES].map(([text, name]) => [name, text]))

function throughExec(words: readonly string[]): readonly string[] {
  const text = writeUnit('x', [{ name: 'Container', lines: [['Exec', argvWords(words)]] }])
  const [value = ''] = valuesOf(readUnit(text), 'Container', 'Exec')
  return quadletWords(value).map(each => expandWord(each, VARIABLES))
}

describe('values in unit files', () => {
  for (const nasty of [
    '',
    '%',
    '%%h',
    '$',
    '$$',
    '${X}',
    '\\',
    '"',
    "'",
    ' a  b ',
    '#',
    ';',
    'line\u2028break',
    '\u00a0',
    'x\\"y',
  ]) {
    it(`brings ${JSON.stringify(nasty)} to the container`, () => {
      expect(throughExec([nasty, nasty])).to.deep.equal([nasty, nasty])
    })
  }

  it('brings any words to the container, none split, none joined', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), words => {
        expect(throughExec(words)).to.deep.equal(words)
      }),
      { numRuns: 500, interruptAfterTimeLimit: 1500 },
    )
  })

  it('brings any argv through a JSON value', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), words => {
        expect(JSON.parse(expandWord(jsonArgv(words)))).to.deep.equal(words)
      }),
      { numRuns: 300, interruptAfterTimeLimit: 1500 },
    )
  })

  it('refuses what would start a line of its own, and what systemd drops a line for', () => {
    for (const bad of [
      'a\nExec=evil',
      'a\rb',
      '\u0000',
      '\u007f',
      'a\u0085b',
      '\ufdd0',
      '\u{1fffe}',
    ]) {
      expect(() => quoteWord(bad))
        .to.throw()
        .with.property('code', 'UNIT_VALUE_REFUSED')
      expect(() => expandable(bad))
        .to.throw()
        .with.property('code', 'UNIT_VALUE_REFUSED')
    }
  })
})
