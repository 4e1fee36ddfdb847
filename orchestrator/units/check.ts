/** Our own check of rendered units, for machines without Quadlet's generator. Pure. */
import { messageOf } from '../../src/core/errors.ts'
import { readUnit, valuesOf } from './file.ts'
import { KEYS_SINCE } from './keys.ts'
import type { RenderedUnits } from './render.ts'

/** Sections that are systemd's own; their keys pass through Quadlet unread. */
const SYSTEMD_SECTIONS = new Set(['Unit', 'Service', 'Install'])

/** One sentence per problem; empty when all is well. */
export function checkUnits(units: RenderedUnits): readonly string[] {
  const names = new Set(units.quadlet.map(({ name }) => name))
  return [...units.quadlet, units.target].flatMap(({ name, text }) =>
    checkFile(text, names).map(problem => `${name}: ${problem}`),
  )
}

function checkFile(text: string, names: ReadonlySet<string>): readonly string[] {
  try {
    const sections = readUnit(text)
    const unknown = sections.flatMap(({ name, lines }) =>
      SYSTEMD_SECTIONS.has(name)
        ? []
        : lines.filter(([key]) => KEYS_SINCE[name]?.[key] === undefined).map(([key]) => key),
    )
    const networks = valuesOf(sections, 'Container', 'Network').map(value => value.split(':')[0])
    const image = valuesOf(sections, 'Container', 'Image')[0]
    return [
      ...unknown.map(key => `unknown key ${key}`),
      ...networks
        .filter(each => each?.endsWith('.network') && !names.has(each))
        .map(each => `no such network ${each}`),
      ...(image === undefined || /^[0-9a-f]{64}$/.test(image) ? [] : ['Image is no image ID']),
    ]
  } catch (error) {
    return [messageOf(error)]
  }
}
