/** A bucket of an S3-compatible store as the place that serves an origin. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { messageOf } from '../../../src/core/errors.ts'
import { eachInParallel } from '../../../src/core/parallel.ts'
import { PublishError } from '../../errors.ts'
import {
  cacheControlOf,
  contentTypeOf,
  type Destination,
  type PublicName,
  type Upload,
} from './destination.ts'

export interface S3Options {
  /** Of another store than Amazon's; its buckets are then addressed by path. */
  readonly endpoint?: string
  readonly region?: string
  /** Smaller in tests alone: S3 itself takes no part below 5 MiB but the last. */
  readonly partBytes?: number
}

/** Ten thousand parts, the most that S3 takes, of this size are 156 GiB: more than the largest blob. */
const PART_BYTES = 16 * 2 ** 20
const PARTS_AT_ONCE = 2
/** With the waits between them this is about a minute of a store that answers with errors. */
const ATTEMPT_COUNT = 6
/** A bucket with a million files has a thousand pages. */
const PAGE_COUNT_MAX = 100_000

/**
 * Opens `s3://bucket/prefix`. Credentials come from where the SDK looks for them: environment, `~/.aws`, instance role.
 * @throws PublishError `DESTINATION_FAILED` for a malformed URL; every method throws it when the store refuses
 */
export function openS3Destination(url: string, options: S3Options = {}): Destination {
  const { bucket, prefix } = parseS3Url(url)
  const { endpoint, region, partBytes = PART_BYTES } = options
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(region === undefined && endpoint === undefined ? {} : { region: region ?? 'us-east-1' }),
    maxAttempts: ATTEMPT_COUNT,
    // Stores that are not Amazon's refuse the newer checksums; the MD5 of every part is checked by all of them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const place: Place = { client, bucket, partBytes, keyOf: name => `${prefix}${name}` }
  const told = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act()
    } catch (cause) {
      const why = `${url}: ${what} failed: ${reasonOf(cause)}`
      throw new PublishError('DESTINATION_FAILED', why, { cause })
    }
  }
  return {
    name: url,
    list: (folder, signal) =>
      told(`listing ${folder}`, () => listObjects(place, prefix, folder, signal)),
    get: (name, maxBytes, signal) =>
      told(`reading ${name}`, () => getObject(place, name, maxBytes, signal)),
    put: (name, upload, signal) =>
      told(`writing ${name}`, () => putObject(place, name, upload, signal)),
    close: async () => client.destroy(),
  }
}

/** @throws PublishError `DESTINATION_FAILED` */
export function parseS3Url(url: string): { readonly bucket: string; readonly prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url)
  if (match === null) {
    const shown = JSON.stringify(url.slice(0, 120))
    throw new PublishError('DESTINATION_FAILED', `${shown} is not of the form s3://bucket/prefix`)
  }
  const [, bucket = '', path = ''] = match
  const parts = path.split('/').filter(part => part !== '')
  return { bucket, prefix: parts.map(part => `${part}/`).join('') }
}

interface Place {
  readonly client: S3Client
  readonly bucket: string
  readonly partBytes: number
  keyOf(name: PublicName): string
}

async function listObjects(
  { client, bucket, keyOf }: Place,
  prefix: string,
  folder: PublicName,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<PublicName, number>> {
  const files = new Map<PublicName, number>()
  let token: string | undefined
  for (let page = 0; page < PAGE_COUNT_MAX; page += 1) {
    const found = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: keyOf(folder),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      abortable(signal),
    )
    for (const { Key, Size } of found.Contents ?? []) {
      if (Key !== undefined && Size !== undefined) files.set(Key.slice(prefix.length), Size)
    }
    token = found.NextContinuationToken
    if (token === undefined) break
  }
  return files
}

async function getObject(
  { client, bucket, keyOf }: Place,
  name: PublicName,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: keyOf(name) })
    const { Body } = await client.send(command, abortable(signal))
    if (Body === undefined) return undefined
    const parts: Uint8Array[] = []
    let length = 0
    for await (const part of Body as AsyncIterable<Uint8Array>) {
      length += part.length
      if (length > maxBytes) throw new RangeError(`it has more than ${maxBytes} bytes`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}

async function putObject(
  place: Place,
  name: PublicName,
  upload: Upload,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, bucket, partBytes, keyOf } = place
  const target = {
    Bucket: bucket,
    Key: keyOf(name),
    CacheControl: cacheControlOf(name),
    ContentType: contentTypeOf(name),
  }
  const size = upload.kind === 'bytes' ? upload.bytes.length : upload.size
  if (upload.kind === 'file' && size > partBytes) {
    return putInParts(place, target, upload, signal)
  }
  const body = upload.kind === 'bytes' ? upload.bytes : await readPart(upload.path, 0, size)
  const command = new PutObjectCommand({ ...target, Body: body, ContentMD5: md5Of(body) })
  await client.send(command, abortable(signal))
}

interface Target {
  readonly Bucket: string
  readonly Key: string
}

/** Each part is read into memory once, so that it can be sent again; the object appears when all are there. */
async function putInParts(
  { client, partBytes }: Place,
  target: Target & { readonly CacheControl: string; readonly ContentType: string },
  { path, size }: { readonly path: string; readonly size: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { Bucket, Key } = target
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand(target),
    abortable(signal),
  )
  if (UploadId === undefined) throw new TypeError('the store gave no id for the upload')
  const upload = { Bucket, Key, UploadId }
  const count = Math.ceil(size / partBytes)
  const etags: (string | undefined)[] = []
  try {
    await eachInParallel(Array(count).keys(), PARTS_AT_ONCE, async index => {
      const body = await readPart(
        path,
        index * partBytes,
        Math.min(partBytes, size - index * partBytes),
      )
      const part = { PartNumber: index + 1, Body: body, ContentMD5: md5Of(body) }
      const { ETag } = await client.send(
        new UploadPartCommand({ ...upload, ...part }),
        abortable(signal),
      )
      etags[index] = ETag
    })
    const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }))
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
      abortable(signal),
    )
  } catch (error) {
    await giveUp(client, upload)
    throw error
  }
}

/** Parts of an upload that is not finished cost money until somebody ends it. */
async function giveUp(
  client: S3Client,
  upload: Target & { readonly UploadId: string },
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(upload))
  } catch {
    // The store that just failed fails again; the error of the upload says more.
  }
}

async function readPart(path: string, start: number, length: number): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const part = Buffer.allocUnsafe(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(part, read, length - read, start + read)
    if (bytesRead === 0) throw new RangeError(`${path} got shorter while it was read`)
    read += bytesRead
  }
  return part
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64')
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/** What a person can act on: the store's code, or what the network said. */
function reasonOf(cause: unknown): string {
  const name = cause instanceof Error && cause.name !== 'Error' ? `${cause.name}: ` : ''
  return `${name}${messageOf(cause)}`.slice(0, 300)
}
