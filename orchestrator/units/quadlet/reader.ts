/** Reads unit files as Quadlet does: continued lines, comments between them, sections that come twice, drop-ins. Pure. */
import type { UnitLine, UnitSection } from '../file.ts'
import { QuadletProblem } from './problem.ts'

/** White space as Unicode has it: Go and JavaScript differ in two code points. */
const AROUND = /^\p{White_Space}+|\p{White_Space}+$/gu

/**
 * Sections in the order of their first line; one that comes again is continued.
 * @throws QuadletProblem for a line that is nothing, or a key before any section
 */
export function readQuadlet(text: string): readonly UnitSection[] {
  const sections = new Map<string, UnitLine[]>()
  let current: UnitLine[] | undefined
  for (const { line, number } of logicalLines(text)) {
    const header = /^\[([^\][\p{Cc}]+)\][ \t]*$/u.exec(line)?.[1]
    const equals = line.indexOf('=')
    if (header !== undefined) {
      current = sections.get(header) ?? []
      sections.set(header, current)
    } else if (equals > 0) {
      if (current === undefined) throw new QuadletProblem('key file does not start with a group')
      current.push([line.slice(0, equals).trimEnd(), line.slice(equals + 1).trimStart()])
    } else {
      throw new QuadletProblem(
        `file contains line ${number}: “${line}” which is not a key-value pair, group, or comment`,
      )
    }
  }
  return [...sections].map(([name, lines]) => ({ name, lines }))
}

/** Lines without comments, with those joined that end in a backslash; `number` is that of the last part. */
function logicalLines(text: string): readonly { line: string; number: number }[] {
  const lines = text.replace(/\n$/, '').split('\n')
  const joined: { line: string; number: number }[] = []
  let begun = ''
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(AROUND, '')
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const isContinued = line.endsWith('\\')
    const part = isContinued ? line.slice(0, -1) : line
    if (isContinued && index < lines.length - 1) {
      begun += part
      continue
    }
    joined.push({ line: begun + part, number: index + 1 })
    begun = ''
  }
  return joined
}

/** `over` comes after `sections`, line by line; so does systemd with drop-ins. */
export function mergeSections(
  sections: readonly UnitSection[],
  over: readonly UnitSection[],
): readonly UnitSection[] {
  const merged = new Map(sections.map(({ name, lines }) => [name, lines]))
  for (const { name, lines } of over) merged.set(name, [...(merged.get(name) ?? []), ...lines])
  return [...merged].map(([name, lines]) => ({ name, lines }))
}
