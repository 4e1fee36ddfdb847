/** Unit files as data: sections of `key=value` lines in a fixed order, written byte-stable, and read back. */
import { OrchestratorError } from '../errors.ts'

export type UnitLine = readonly [key: string, value: string]

export interface UnitSection {
  readonly name: string
  readonly lines: readonly UnitLine[]
}

/** A file name in its folder, and the text. */
export interface UnitFile {
  readonly name: string
  readonly text: string
}

/** Sections without lines are left out. */
export function writeUnit(comment: string, sections: readonly UnitSection[]): string {
  const blocks = sections
    .filter(section => section.lines.length > 0)
    .map(({ name, lines }) => [`[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`)])
  return `${[[`# ${comment}`], ...blocks].map(block => block.join('\n')).join('\n\n')}\n`
}

/**
 * Reads what `writeUnit` writes: no continuation lines, no drop-ins.
 * @throws OrchestratorError `UNITS_REFUSED` naming the line.
 */
export function readUnit(text: string): readonly UnitSection[] {
  const sections: { name: string; lines: UnitLine[] }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const header = /^\[([A-Za-z]+)\]$/.exec(line)?.[1]
    const pair = /^([A-Za-z0-9]+)=(.*)$/s.exec(line)
    const section = sections.at(-1)
    if (header !== undefined) sections.push({ name: header, lines: [] })
    else if (pair?.[1] !== undefined && section !== undefined && !line.endsWith('\\')) {
      section.lines.push([pair[1], pair[2] ?? ''])
    } else {
      throw new OrchestratorError(
        'UNITS_REFUSED',
        `line ${index + 1} is no unit file line: ${line}`,
      )
    }
  }
  return sections
}

/** All values of a key in a section, in order. */
export function valuesOf(
  sections: readonly UnitSection[],
  section: string,
  key: string,
): readonly string[] {
  return sections
    .filter(({ name }) => name === section)
    .flatMap(({ lines }) => lines.filter(([name]) => name === key).map(([, value]) => value))
}
