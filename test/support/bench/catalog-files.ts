/** The catalogs that are measured, written to a folder, so that every repetition begins in a process that never saw them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { appPath } from '../../../catalog/app-target.ts'
import { formatTime } from '../../../catalog/trust/document.ts'
import {
  appTarget,
  createSignedOrigin,
  DAY_MS,
  makeKey,
  makeKeys,
  type RootOptions,
  rootDocument,
  type SignedOrigin,
} from '../catalog/signed-origin.ts'

/** tuf-js reads the machine's clock, so everything here is valid around it. */
const nowMs = Date.now()
const valid: RootOptions = { expiresMs: nowMs + 365 * DAY_MS }

/** An origin whose role `core` has `count` apps. */
export async function writeApps(folder: string, count: number): Promise<void> {
  const keys = { ...makeKeys() }
  const origin = createSignedOrigin(keys)
  origin.publishRoot(1, valid)
  const paths = Array.from({ length: count }, (_, index) =>
    appPath('core', `app-${index}`, 'stable'),
  )
  const targets = Object.fromEntries(
    paths.map((path, index) => [path, appTarget(index + 1, `1.0.${index}`)]),
  )
  const expiresMs = nowMs + 7 * DAY_MS
  origin.publishSet(1, {
    targets: {},
    expiresMs: { timestamp: expiresMs, snapshot: expiresMs, targets: expiresMs },
    extra: { timestamp: { 'x-issued': formatTime(nowMs) } },
    roles: [
      {
        name: 'core',
        keys: [makeKey()],
        paths: ['apps/core.*/*'],
        terminating: true,
        expiresMs,
        targets,
      },
    ],
  })
  await write(folder, origin)
}

/** `count` new roots, each with a new root key. */
export async function writeRotations(folder: string, count: number): Promise<void> {
  const origin = createSignedOrigin()
  origin.publishRoot(1, valid)
  for (let step = 0; step < count; step++) {
    origin.publishRoot(step + 2, { ...valid, keys: { root: [makeKey()] } })
  }
  await write(folder, origin)
}

/** A second root with `count` keys, under a signature that the key of the first never made. @returns its size in bytes */
export async function writeForgedRoot(folder: string, count: number): Promise<number> {
  const keys = makeKeys()
  const origin = createSignedOrigin(keys)
  origin.publishRoot(1, valid)
  const entry = (index: number) => `"${index}":{"keytype":"","scheme":"","keyval":{}}`
  const all = Array.from({ length: count }, (_, index) => entry(index)).join(',')
  const document = JSON.stringify({ ...rootDocument(2, keys, valid), keys: {} })
  const signatures = keys.root.map(({ keyId }) => ({ keyid: keyId, sig: '00'.repeat(64) }))
  const signed = document.replace('"keys":{}', `"keys":{${all}}`)
  const bytes = Buffer.from(`{"signatures":${JSON.stringify(signatures)},"signed":${signed}}`)
  origin.files.set('2.root.json', bytes)
  await write(folder, origin)
  return bytes.length
}

async function write(folder: string, { files }: SignedOrigin): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes)
}
