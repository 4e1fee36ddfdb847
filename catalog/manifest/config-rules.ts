/** Rules for `config`: what its fields say of themselves fits together. */
import { type ConfigField, configValueProblem } from './config-value.ts'
import { type AnyManifest, problem, type RuleProblem } from './rule.ts'

export function configProblems({ config }: AnyManifest): readonly RuleProblem[] {
  return Object.entries(config).flatMap(([name, field]) => {
    const at = ['config', name] as const
    const shape = shapeProblems(at, field)
    if (shape.length > 0 || field.default === undefined) return shape
    const wrong = configValueProblem(field, field.default)
    return problem('config.default', [...at, 'default'], wrong)
  })
}

function shapeProblems(at: readonly string[], field: ConfigField): readonly RuleProblem[] {
  const { type, values, min, max } = field
  const hasBounds = type === 'string' || type === 'integer'
  const bound = min === undefined ? 'max' : 'min'
  return [
    ...problem(
      'config.values',
      at,
      type === 'enum' && values === undefined && 'needs values, such as values: [small, large]',
    ),
    ...problem(
      'config.values',
      [...at, 'values'],
      type !== 'enum' && values !== undefined && `is only for type: enum, not for ${type}`,
    ),
    ...problem(
      'config.values',
      [...at, 'values'],
      new Set(values).size !== (values ?? []).length && 'has a value twice',
    ),
    ...problem(
      'config.bounds',
      [...at, bound],
      !hasBounds &&
        (min ?? max) !== undefined &&
        `is only for type: string and integer, not for ${type}`,
    ),
    ...problem(
      'config.bounds',
      [...at, 'min'],
      min !== undefined && max !== undefined && min > max && `is larger than max, ${max}`,
    ),
  ]
}
