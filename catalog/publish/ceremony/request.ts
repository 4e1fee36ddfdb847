/** A signing request: exactly what is to be signed, who must sign it, and what it changes; and the signatures for it. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { messageOf } from '../../../src/core/errors.ts'
import { PublishError } from '../../errors.ts'
import type { CatalogDocument, PublicKey } from '../../trust/document.ts'
import { encodeEnvelope, signedBytes } from '../../trust/envelope.ts'
import { isSignedBy, keyIdOf, openKey } from '../../trust/key.ts'
import { ROLE_KEY_COUNT_MAX, TARGETS_BYTES_MAX } from '../../trust/limits.ts'
import type { Signer } from '../keys/signer.ts'

const publicKey = z.strictObject({
  keytype: z.string().max(64),
  scheme: z.string().max(64),
  keyval: z.strictObject({ public: z.string().max(2048) }),
})
const quorum = z.strictObject({
  /** `old root`, `new root`, or the role. */
  who: z.string().max(64),
  threshold: z.int().min(1),
  /** By the name that their origin gives them. */
  keys: z
    .record(z.string().max(64), publicKey)
    .refine(keys => Object.keys(keys).length <= ROLE_KEY_COUNT_MAX),
})
const requestSchema = z.strictObject({
  v: z.literal(1),
  role: z.string().max(64),
  /** The signed part of the file. */
  document: z.looseObject({ _type: z.string(), version: z.int().min(1), expires: z.string() }),
  /** The document that it follows, for people to compare. */
  before: z.looseObject({}).nullable(),
  quorums: z.array(quorum).min(1).max(2),
})
const signatureSchema = z.strictObject({
  v: z.literal(1),
  /** SHA-256 (hex) of the bytes to sign. */
  request: z.string().length(64),
  keyid: z.string().length(64),
  sig: z.string().max(1024),
})

export type SigningRequest = z.infer<typeof requestSchema>
export type DetachedSignature = z.infer<typeof signatureSchema>

export const REQUEST_BYTES_MAX = 3 * TARGETS_BYTES_MAX
export const SIGNATURE_BYTES_MAX = 16_384

export function encodeRequest(request: SigningRequest): Uint8Array {
  return canonicalJson(request)
}

/** @throws PublishError `REQUEST_MISMATCH` */
export function parseRequest(path: string, bytes: Uint8Array): SigningRequest {
  const request = parse(path, bytes, requestSchema, 'signing request')
  const why = whyInconsistent(request)
  if (why !== undefined) throw new PublishError('REQUEST_MISMATCH', `${path}: ${why}`)
  return request
}

const rootHolders = z.looseObject({
  roles: z.looseObject({
    root: z.looseObject({ keyids: z.array(z.string()), threshold: z.int() }),
  }),
})

/** Who signs is said twice, for people and in what is signed: whoever reads the one must not sign the other. */
function whyInconsistent({ role, document, before, quorums }: SigningRequest): string | undefined {
  if ((role === 'root') !== (document._type === 'root')) {
    return 'it asks for the signatures of another role than that of its document'
  }
  if (role !== 'root') return undefined
  const isTrue = [before, document].every((root, index) => {
    const found = rootHolders.safeParse(root)
    const quorum = quorums[index]
    if (!found.success || quorum === undefined) return false
    const { keyids, threshold } = found.data.roles.root
    const shown = Object.values(quorum.keys).map(keyIdOf)
    return threshold === quorum.threshold && isSameSet(new Set(keyids), new Set(shown))
  })
  return isTrue ? undefined : 'the holders that it names are not those of its roots'
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every(each => b.has(each))
}

/** @throws PublishError `REQUEST_MISMATCH` */
export function parseSignature(path: string, bytes: Uint8Array): DetachedSignature {
  return parse(path, bytes, signatureSchema, 'signature')
}

/** What names a request in a conversation: everybody must see the same. */
export function hashOfRequest({ document }: SigningRequest): string {
  return createHash('sha256').update(signedBytes(document)).digest('hex')
}

/** @throws PublishError `REQUEST_MISMATCH` when this key is not asked for; `SIGNER_FAILED` */
export async function signRequest(
  request: SigningRequest,
  signer: Signer,
): Promise<DetachedSignature> {
  if (!keysOf(request).has(signer.keyId)) {
    const wanted = [...keysOf(request).values()].map(({ name }) => name).join(', ')
    throw new PublishError(
      'REQUEST_MISMATCH',
      `this key is not asked for; those asked for: ${wanted}`,
    )
  }
  const sig = await signer.sign(signedBytes(request.document))
  return { v: 1, request: hashOfRequest(request), keyid: signer.keyId, sig }
}

export interface Progress {
  readonly who: string
  readonly threshold: number
  readonly signed: readonly string[]
  readonly missing: readonly string[]
}

export interface Judgement {
  readonly progress: readonly Progress[]
  /** Signatures that do not count, each with the reason. */
  readonly refused: readonly string[]
  readonly isComplete: boolean
}

/** Counts the signatures; pure. Each key counts once. */
export function judge(
  request: SigningRequest,
  signatures: readonly (readonly [name: string, signature: DetachedSignature])[],
): Judgement {
  const bytes = signedBytes(request.document)
  const hash = hashOfRequest(request)
  const keys = keysOf(request)
  const good = new Set<string>()
  const refused: string[] = []
  for (const [name, { request: of, keyid, sig }] of signatures) {
    const key = keys.get(keyid)
    const opened = key && openKey(key.publicKey)
    if (of !== hash) refused.push(`${name}: it signs another request`)
    else if (opened === undefined) refused.push(`${name}: its key is not asked for`)
    else if (!isSignedBy(opened, bytes, sig)) refused.push(`${name}: the signature is wrong`)
    else good.add(keyid)
  }
  const progress = request.quorums.map(({ who, threshold, keys: named }) => {
    const names = Object.entries(named)
    const has = ([, key]: readonly [string, PublicKey]): boolean => good.has(keyIdOf(key))
    return {
      who,
      threshold,
      signed: names.filter(has).map(([name]) => name),
      missing: names.filter(each => !has(each)).map(([name]) => name),
    }
  })
  const isComplete = progress.every(({ signed, threshold }) => signed.length >= threshold)
  return { progress, refused, isComplete }
}

/**
 * The finished file.
 * @throws PublishError `THRESHOLD_UNMET` naming who is missing
 */
export function mergeRequest(
  request: SigningRequest,
  signatures: readonly (readonly [name: string, signature: DetachedSignature])[],
): Uint8Array {
  const { progress, refused, isComplete } = judge(request, signatures)
  if (!isComplete) {
    const short = progress.filter(({ signed, threshold }) => signed.length < threshold)
    const lines = short.map(
      ({ who, signed, threshold, missing }) =>
        `${who}: ${signed.length} of ${threshold}; can still sign: ${missing.join(', ')}`,
    )
    throw new PublishError('THRESHOLD_UNMET', 'there are too few signatures; nothing was changed', {
      problems: [...lines, ...refused],
    })
  }
  const keys = keysOf(request)
  const counted = new Map(
    signatures
      .filter(([, { request: of, keyid }]) => of === hashOfRequest(request) && keys.has(keyid))
      .filter(([name, signature]) => judge(request, [[name, signature]]).refused.length === 0)
      .map(([, { keyid, sig }]) => [keyid, { keyid, sig }] as const),
  )
  return encodeEnvelope(request.document as unknown as CatalogDocument, [...counted.values()])
}

function keysOf({
  quorums,
}: SigningRequest): ReadonlyMap<string, { readonly name: string; readonly publicKey: PublicKey }> {
  return new Map(
    quorums.flatMap(({ keys }) =>
      Object.entries(keys).map(([name, key]) => [keyIdOf(key), { name, publicKey: key }] as const),
    ),
  )
}

function parse<T>(path: string, bytes: Uint8Array, schema: z.ZodType<T>, what: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    const why = messageOf(cause).slice(0, 200)
    throw new PublishError('REQUEST_MISMATCH', `${path} is no ${what}: ${why}`, { cause })
  }
}
