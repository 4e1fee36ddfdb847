/** The three JSON documents of an OCI image layout that we read: index, manifest, config. Unknown fields are allowed. */
import { z } from 'zod'
import { explainIssues, formatProblem } from '../../../src/core/schema.ts'
import { PublishError } from '../../errors.ts'
import { sha256 } from '../../manifest/schema.ts'
import { LAYER_BYTES_MAX } from '../limits.ts'

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const OCI_PLAIN_LAYER = 'application/vnd.oci.image.layer.v1.tar'
const OCI_LAYERS = [OCI_PLAIN_LAYER, `${OCI_PLAIN_LAYER}+gzip`, `${OCI_PLAIN_LAYER}+zstd`] as const

const descriptorSchema = z.object({
  mediaType: z.string().max(255),
  digest: sha256,
  size: z.int().min(0).max(LAYER_BYTES_MAX),
  /** Podman would fetch such a layer from there, around every check of ours. */
  urls: z.array(z.string()).max(0, 'must not send the node to other servers').optional(),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
})

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptorSchema).min(1).max(256),
})

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(OCI_MANIFEST).optional(),
  config: descriptorSchema.extend({ mediaType: z.literal(OCI_CONFIG) }),
  layers: z.array(descriptorSchema.extend({ mediaType: z.enum(OCI_LAYERS) })).max(128),
})

const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  config: z.object({ Volumes: z.record(z.string(), z.unknown()).nullish() }).nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(sha256) }),
})

export type OciDescriptor = z.infer<typeof descriptorSchema>
export type OciIndex = z.infer<typeof indexSchema>
export type OciManifest = z.infer<typeof manifestSchema>
export type OciConfig = z.infer<typeof configSchema>

export const parseIndex = (name: string, bytes: Uint8Array): OciIndex =>
  parseWith(indexSchema, name, bytes)
export const parseManifest = (name: string, bytes: Uint8Array): OciManifest =>
  parseWith(manifestSchema, name, bytes)
export const parseConfig = (name: string, bytes: Uint8Array): OciConfig =>
  parseWith(configSchema, name, bytes)

/** @throws PublishError `OCI_INVALID` with every problem */
function parseWith<T>(schema: z.ZodType<T>, name: string, bytes: Uint8Array): T {
  const parsed = schema.safeParse(parseJson(name, bytes))
  if (parsed.success) return parsed.data
  const problems = explainIssues(parsed.error, schema).map(p => formatProblem(name, p))
  throw new PublishError('OCI_INVALID', `${name} is no OCI document that we can publish`, {
    problems,
  })
}

function parseJson(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new PublishError('OCI_INVALID', `${name} is not JSON`, { cause })
  }
}
