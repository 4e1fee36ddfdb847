/** Variables and secrets of the reference platform's manifests. Pure. */
import type { Member } from '../reference-platform.ts'
import { labelOf, listOf, textAt } from './values.ts'

/** Kinds of generated secrets, and the nearest of ours; hex is counted in bytes there and in characters here. */
const KINDS: Readonly<Record<string, { kind: string; length: number }>> = {
  hex16: { kind: 'hex', length: 32 },
  hex32: { kind: 'hex', length: 64 },
  base64: { kind: 'base64', length: 44 },
}
/** The names that the item of a generated secret may have had; its own are not known. */
const NAME_KEYS = ['name', 'secret_file', 'file', 'key', 'id'] as const

export function generatedSecrets(value: unknown, { draft, tell }: Member): void {
  for (const each of listOf(value)) {
    const file = textAt(each, ...NAME_KEYS) ?? String(each)
    const kind = textAt(each, 'kind', 'type') ?? 'hex32'
    const name = labelOf(file)
    const generate = KINDS[kind]
    draft.secrets[name] = { generate: generate ?? { kind: 'password', length: 32 } }
    if (generate === undefined) {
      tell(
        'decide',
        `secrets.${name} is a password: ${kind} is made of one, by a job or by the program itself`,
      )
    } else {
      tell('mapped', `secrets.${name}: ${generate.kind} of ${generate.length} characters`)
    }
  }
}

export function generatedCerts(_value: unknown, { tell }: Member): void {
  tell(
    'decide',
    'certificates are not made by the node: let a job make one in a data set, or serve plain http',
  )
}

export function secretEnv(value: unknown, { draft, component, tell }: Member): void {
  for (const each of listOf(value)) {
    const key = textAt(each, 'key', 'name') ?? ''
    const name = labelOf(textAt(each, 'secret_file', 'secret', 'file') ?? key)
    component.env[key] = `\${secrets.${name}}`
    if (draft.secrets[name] === undefined) {
      draft.secrets[name] = { generate: { kind: 'hex', length: 64 } }
      tell(
        'approximated',
        `env.${key} from secrets.${name}, which is made new where there is none yet`,
      )
    } else tell('mapped', `env.${key} from secrets.${name}`)
  }
}

/** What the platform fills in by itself, as far as it is known. */
const PLACEHOLDERS: Readonly<Record<string, string>> = { HOST_MDNS: `\${node.hostname}.local` }

export function derivedEnv(value: unknown, { component, tell }: Member): void {
  for (const each of listOf(value)) {
    const key = textAt(each, 'key', 'name') ?? ''
    const { text, unknown } = withPlaceholders(textAt(each, 'template', 'value') ?? '')
    component.env[key] = text
    if (unknown.length === 0) tell('approximated', `env.${key}: ${text}`)
    else tell('decide', `env.${key}: write a reference in place of ${unknown.join(', ')}`)
  }
}

/** `{{HOST_MDNS}}` as a reference, everything else as it stands; `unknown` are the placeholders that are left. */
export function withPlaceholders(text: string): { text: string; unknown: readonly string[] } {
  const unknown: string[] = []
  const filled = escaped(text).replace(/\{\{\s*(\w+)\s*\}\}/g, (all: string, name: string) => {
    if (PLACEHOLDERS[name] === undefined) unknown.push(all)
    return PLACEHOLDERS[name] ?? all
  })
  return { text: filled, unknown }
}

/** `KEY=value`; `${OTHER}` in it is the value of another variable, which may be a secret. */
export function environment(value: unknown, { component, tell }: Member): void {
  const own = new Map<string, string>()
  for (const each of listOf(value)) {
    const [, key = '', text = ''] = /^([^=]+)=(.*)$/s.exec(String(each)) ?? []
    if (key === '') tell('decide', `${JSON.stringify(each)} is no variable`)
    else own.set(key, text)
  }
  for (const [key, text] of own) {
    const unknown: string[] = []
    component.env[key] = expanded(text, own, component.env, unknown)
    for (const name of unknown)
      tell('decide', `env.${key} speaks of ${name}, which no variable of the manifest is`)
  }
  tell('mapped', 'env, with variables in values filled in')
}

/** Values are filled in once: what a variable holds is not read again, so that no text grows without end. */
function expanded(
  text: string,
  own: ReadonlyMap<string, string>,
  known: Readonly<Record<string, string>>,
  unknown: string[],
): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g, (_all: string, name?: string) => {
    if (name === undefined) return '$${'
    const plain = own.get(name)
    const secret = known[name]
    if (secret !== undefined && plain === undefined) return secret
    if (plain !== undefined) return escaped(plain)
    unknown.push(name)
    return `$$\{${name}}`
  })
}

function escaped(text: string): string {
  return text.replaceAll('${', () => '$${')
}
