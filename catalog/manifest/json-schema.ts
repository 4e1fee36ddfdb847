/** The JSON Schema of author manifests for editors: made from the zod schema, described by docs/manifest.md. Pure. */
import { z } from 'zod'
import { authorManifestSchema } from './schema.ts'

export interface JsonSchema {
  readonly [key: string]: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly additionalProperties?: JsonSchema | false
  readonly anyOf?: readonly JsonSchema[]
  readonly required?: readonly string[]
}

/** A key of the manifest as docs/manifest.md tells of it: `components.<name>.ports[].host`. */
export interface KeyForm {
  readonly path: string
  readonly isRequired: boolean
  readonly defaultValue: unknown
}

/** Draft 7, because that is what the YAML support of editors reads. */
export function manifestJsonSchema(descriptions: ReadonlyMap<string, string>): JsonSchema {
  const made = z.toJSONSchema(authorManifestSchema, { io: 'input', target: 'draft-7' })
  return {
    ...described(made as JsonSchema, '', descriptions),
    title: 'App manifest of archy, version 1',
    // What the author keeps for himself.
    patternProperties: { '^x-': {} },
  }
}

/** Every key, in the order of the schema; keys of the same form at several places once. */
export function keyForms(): readonly KeyForm[] {
  const forms = new Map<string, KeyForm>()
  collect(manifestJsonSchema(new Map()), '', forms)
  return [...forms.values()]
}

function described(
  schema: JsonSchema,
  path: string,
  descriptions: ReadonlyMap<string, string>,
): JsonSchema {
  const inner = (each: JsonSchema, at: string) => described(each, at, descriptions)
  const text = descriptions.get(documentedPath(path))
  const { properties, items, additionalProperties, anyOf } = schema
  return {
    ...(text === undefined ? {} : { description: text }),
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, each]) => [key, inner(each, join(path, key))]),
      ),
    }),
    ...(items && { items: inner(items, `${path}[]`) }),
    ...(additionalProperties && {
      additionalProperties: inner(additionalProperties, join(path, '<name>')),
    }),
    ...(anyOf && { anyOf: anyOf.map(each => inner(each, path)) }),
  }
}

function collect(schema: JsonSchema, path: string, forms: Map<string, KeyForm>): void {
  const { properties = {}, items, additionalProperties, anyOf = [], required = [] } = schema
  for (const each of anyOf) collect(each, path, forms)
  for (const [key, each] of Object.entries(properties)) {
    const at = join(path, key)
    const known = documentedPath(at)
    if (!isSelfEvident(known) && !forms.has(known)) {
      forms.set(known, {
        path: known,
        isRequired: required.includes(key),
        defaultValue: each.default,
      })
    }
    collect(each, at, forms)
  }
  if (items) collect(items, `${path}[]`, forms)
  if (additionalProperties) collect(additionalProperties, join(path, '<name>'), forms)
}

/** Where the same form stands at several places, docs/manifest.md tells of it once. */
function documentedPath(path: string): string {
  return path
    .replace(/^hooks\.\w+\[\]/, 'hooks.<point>[]')
    .replace(/\.health\.(startup|live)\./, '.health.')
    .replace(/\.waitFor\.exec\./, '.exec.')
    .replace(/\.waitFor\.(tcp|http)\./, '.waitFor.')
}

/** The two numbers of a user. */
function isSelfEvident(path: string): boolean {
  return /\.(owner|user)\.[ug]id$/.test(path)
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
