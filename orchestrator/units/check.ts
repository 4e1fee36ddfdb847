/** Our own check of rendered units, for machines without Quadlet's generator. Pure. */
import { messageOf } from '../../src/core/errors.ts'
import { readUnit, valuesOf } from './file.ts'
import { predictServices } from './predict.ts'
import type { RenderedUnits } from './render.ts'

/** Which devices are there makes no unit better or worse. */
const HOST = { folder: '/', hasDevice: () => true }

/** One sentence per problem; empty when all is well. */
export function checkUnits(units: RenderedUnits): readonly string[] {
  const { problems } = predictServices(units.quadlet, HOST)
  return [
    ...[...units.quadlet, units.target].flatMap(({ name, text }) =>
      checkFile(text).map(problem => `${name}: ${problem}`),
    ),
    ...problems.map(({ file, text }) => `${file}: ${text}`),
  ]
}

function checkFile(text: string): readonly string[] {
  try {
    const image = valuesOf(readUnit(text), 'Container', 'Image')[0]
    return image === undefined || /^[0-9a-f]{64}$/.test(image) ? [] : ['Image is no image ID']
  } catch (error) {
    return [messageOf(error)]
  }
}
