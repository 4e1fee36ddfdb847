/** A service while it is made from a Quadlet file: sections that grow. */
import type { UnitLine, UnitSection } from '../file.ts'
import { joinWords } from './words.ts'

export interface Draft {
  add(section: string, key: string, value: string): void
  addCommand(section: string, key: string, argv: readonly string[]): void
  /** Before all lines of the section. */
  prepend(section: string, key: string, value: string): void
  /** In place of the last line of that key, or as a new one. */
  set(section: string, key: string, value: string): void
  replaceAll(section: string, key: string, value: string): void
  rename(section: string, name: string): void
  sections(): readonly UnitSection[]
}

export function draftOf(given: readonly UnitSection[]): Draft {
  const sections = given.map(({ name, lines }) => ({ name, lines: [...lines] }))
  const linesOf = (name: string): UnitLine[] => {
    const found = sections.find(section => section.name === name)
    if (found !== undefined) return found.lines
    const made = { name, lines: [] as UnitLine[] }
    sections.push(made)
    return made.lines
  }
  const draft: Draft = {
    add: (section, key, value) => void linesOf(section).push([key, value]),
    addCommand: (section, key, argv) => draft.add(section, key, joinWords(argv)),
    prepend: (section, key, value) => void linesOf(section).unshift([key, value]),
    set(section, key, value) {
      const lines = linesOf(section)
      const index = lines.findLastIndex(([name]) => name === key)
      if (index < 0) lines.push([key, value])
      else lines[index] = [key, value]
    },
    replaceAll(section, key, value) {
      const lines = linesOf(section)
      const others = lines.filter(([name]) => name !== key)
      lines.splice(0, lines.length, ...others, [key, value])
    },
    rename(section, name) {
      const found = sections.find(each => each.name === section)
      if (found !== undefined) found.name = name
    },
    sections: () => sections,
  }
  return draft
}
