/** What the owner set of an app's `config`: checked against the manifest, kept as text, filled up with defaults. Pure. */
import { type AppManifest, configValueProblem } from '../catalog/index.ts'
import { suggestion } from '../src/core/schema.ts'
import { OrchestratorError } from './errors.ts'

export type Settings = Readonly<Record<string, string>>
type Fields = AppManifest['config']

export interface SettingView {
  readonly name: string
  readonly type: string
  readonly title?: string
  readonly help?: string
  /** Absent: it has none yet, and the app cannot be installed. */
  readonly value?: string
  readonly isDefault: boolean
  readonly isImmutable: boolean
  readonly values?: readonly string[]
}

/** One by one, with the value that holds. */
export function settingViews(fields: Fields, owner: Settings): readonly SettingView[] {
  return Object.entries(fields).map(([name, field]) => {
    const value = owner[name] ?? field.default
    return {
      name,
      type: field.type,
      ...(field.title === undefined ? {} : { title: field.title }),
      ...(field.help === undefined ? {} : { help: field.help }),
      ...(value === undefined ? {} : { value: String(value) }),
      isDefault: owner[name] === undefined,
      isImmutable: field.immutable,
      ...(field.values === undefined ? {} : { values: field.values }),
    }
  })
}

/**
 * Every field with its value. What the owner set and the manifest no longer takes is an error, never a silent default.
 * @throws OrchestratorError `SETTING_INVALID` with every field that has no value, or a wrong one, and the fix
 */
export function settingsInForce(id: string, fields: Fields, owner: Settings): Settings {
  const problems = settingViews(fields, owner).flatMap(({ name, value }) => {
    const field = fields[name] as Fields[string]
    if (value === undefined) return [`${name} has no value yet`]
    const problem = configValueProblem(field, value)
    return problem === undefined ? [] : [`${name}=${value}: ${problem}`]
  })
  if (problems.length > 0) {
    const names = problems.map(text => `${/^[^ =]+/.exec(text)?.[0]}=VALUE`)
    throw settingInvalid(id, problems, `set it with "archy app config ${id} ${names.join(' ')}"`)
  }
  return Object.fromEntries(
    settingViews(fields, owner).map(({ name, value = '' }) => [name, value] as const),
  )
}

/**
 * The owner's settings after `changes`; `null` takes one back to its default.
 * @throws OrchestratorError `SETTING_INVALID` with every problem; nothing was changed
 */
export function changeSettings(
  id: string,
  fields: Fields,
  owner: Settings,
  changes: Readonly<Record<string, string | null>>,
  isInstalled: boolean,
): Settings {
  const problems = Object.entries(changes).flatMap(([name, value]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined) {
      return [`there is no setting "${name}"${suggestion(name, Object.keys(fields))}`]
    }
    const before = owner[name] ?? (field.default === undefined ? undefined : String(field.default))
    const after = value ?? (field.default === undefined ? undefined : String(field.default))
    if (field.immutable && isInstalled && before !== undefined && before !== after) {
      return [`${name} cannot be changed once the app is installed; it is "${before}"`]
    }
    if (after === undefined) return [`${name} has no default, so it needs a value`]
    const problem = configValueProblem(field, after)
    return problem === undefined ? [] : [`${name}=${after}: ${problem}`]
  })
  if (problems.length > 0) {
    throw settingInvalid(id, problems, `see "archy app config ${id}"`)
  }
  const next = { ...owner }
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete next[name]
    else next[name] = value
  }
  return next
}

function settingInvalid(id: string, problems: readonly string[], fix: string): OrchestratorError {
  return new OrchestratorError('SETTING_INVALID', `${id}: ${problems.join('; ')}; ${fix}`, {
    problems,
  })
}
