/** Fills in the parts of docs/manifest.md that are made from the tables of the program. Pure. */
import { FOREIGN_WORDS } from './foreign.ts'
import { RULES } from './rule-ids.ts'

const PARTS: Readonly<Record<string, () => string>> = { rules: ruleTable, words: wordTable }

/** The document with its made parts as they must be. */
export function completeDocument(document: string): string {
  return Object.entries(PARTS).reduce((text, [name, make]) => {
    const begin = `<!-- ${name}: made by npm run build:schema -->\n`
    const [before, rest] = split(text, begin)
    const [, after] = split(rest, '<!-- end -->')
    return `${before}${begin}\n${make()}\n<!-- end -->${after}`
  }, document)
}

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark)
  if (at < 0) throw new Error(`docs/manifest.md has no ${mark.trim()}`)
  return [text.slice(0, at), text.slice(at + mark.length)]
}

function ruleTable(): string {
  const rows = Object.entries(RULES).map(([rule, text]) => [code(rule), text])
  return table(['rule', 'what holds'], rows)
}

function wordTable(): string {
  const rows = FOREIGN_WORDS.map(({ rule, keys = [], in: places = [], at = [], why, instead }) => {
    const below = places.length === 0 ? '' : ` below ${places.map(code).join(', ')}`
    const words = keys.length === 0 ? [] : [`${keys.map(code).join(', ')}${below}`]
    const values = at.length === 0 ? [] : [`values at ${at.map(code).join(', ')}`]
    return [code(rule), [...words, ...values].join('; '), why, code(instead)]
  })
  return table(['rule', 'what', 'why', 'instead'], rows)
}

function code(text: string): string {
  return `\`${text}\``
}

/** Columns padded to one width, as the formatter wants them. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map(row => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[], fill = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
  const rule = line(
    heads.map(() => ''),
    '-',
  )
  return [line(heads), rule, ...rows.map(row => line(row)), ''].join('\n')
}
