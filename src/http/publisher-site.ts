/** Another publisher's web server, as a place to import its file and blobs from. */
import { request } from 'undici'
import { blobName, type PublisherSource, unusable } from '../../catalog/publish/index.ts'
import { messageOf } from '../core/errors.ts'

/** A server that sends nothing for so long is given up. */
const SILENCE_MS = 30_000

/** `place` is the URL below which `feeds/` and `blobs/` are. */
export function openPublisherSite(place: string): PublisherSource {
  const base = place.endsWith('/') ? place : `${place}/`
  const open = async (name: string, signal: AbortSignal | undefined) => {
    const url = new URL(name, base)
    try {
      return await request(url, {
        headersTimeout: SILENCE_MS,
        bodyTimeout: SILENCE_MS,
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (cause) {
      throw unusable(url.href, messageOf(cause), cause)
    }
  }
  return {
    name: base,
    async get(name, maxBytes, signal) {
      const { statusCode, body } = await open(name, signal)
      if (statusCode !== 200) {
        await body.dump()
        if (statusCode === 404) return undefined
        throw unusable(`${base}${name}`, `it answered with status ${statusCode}`)
      }
      const parts: Uint8Array[] = []
      let length = 0
      for await (const part of body as AsyncIterable<Uint8Array>) {
        length += part.length
        if (length > maxBytes)
          throw unusable(`${base}${name}`, `it has more than ${maxBytes} bytes`)
        parts.push(part)
      }
      return Buffer.concat(parts)
    },
    async *blob(digest, signal) {
      const { statusCode, body } = await open(blobName(digest), signal)
      if (statusCode !== 200) {
        await body.dump()
        throw unusable(`${base}${blobName(digest)}`, `it answered with status ${statusCode}`)
      }
      yield* body as AsyncIterable<Uint8Array>
    },
  }
}
