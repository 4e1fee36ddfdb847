/**
 * An iroh 0.35 node as a process that is measured; see `subject-process.ts`.
 * Usage: iroh-subject.ts PACKAGES FOLDER [FILE]; PACKAGES is a folder where `@number0/iroh` is installed.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { serveAsks } from '../serve-asks.ts'

/** The part of `@number0/iroh` that is used here. */
interface IrohPackage {
  readonly Iroh: { persistent(folder: string, options: object): Promise<IrohNode> }
  readonly SetTagOption: { auto(): unknown }
  readonly BlobFormat: { readonly Raw: unknown }
  readonly BlobDownloadOptions: new (format: unknown, nodes: unknown[], tag: unknown) => unknown
}

interface Progress {
  readonly allDone?: { readonly hash?: string }
}

type OnProgress = (error: Error | null, progress: Progress) => void

interface IrohNode {
  readonly blobs: {
    addFromPath(
      path: string,
      inPlace: boolean,
      tag: unknown,
      wrap: object,
      on: OnProgress,
    ): Promise<void>
    download(hash: string, options: unknown, on: OnProgress): Promise<void>
  }
  readonly net: { nodeAddr(): Promise<NodeAddress> }
  readonly node: { shutdown(): Promise<void> }
}

interface NodeAddress {
  readonly nodeId: string
  readonly relayUrl?: string
  readonly addresses: readonly string[]
}

const [packages = '', folder = '', file] = process.argv.slice(2)
const iroh = createRequire(join(packages, 'package.json'))('@number0/iroh') as IrohPackage
const node = await iroh.Iroh.persistent(folder, {
  ipv4Addr: '127.0.0.1:0',
  nodeDiscovery: 'None',
  enableDocs: false,
})

async function untilDone(start: (on: OnProgress) => Promise<void>): Promise<string> {
  const done = Promise.withResolvers<string>()
  await start((error, progress) => {
    if (error !== null) done.reject(error)
    else if (progress.allDone) done.resolve(progress.allDone.hash ?? '')
  })
  return await done.promise
}

const tag = iroh.SetTagOption.auto()
const hash =
  file === undefined
    ? ''
    : await untilDone(on => node.blobs.addFromPath(file, true, tag, { wrap: false }, on))
const { nodeId, addresses } = await node.net.nodeAddr()
// Only loopback, and no relay: nothing leaves this machine.
const loopback = addresses.filter(address => address.startsWith('127.'))

serveAsks(
  { hash, address: { nodeId, addresses: loopback } },
  {
    async fetch(wanted: { readonly hash: string; readonly from: NodeAddress }) {
      const { BlobDownloadOptions, BlobFormat } = iroh
      const options = new BlobDownloadOptions(BlobFormat.Raw, [wanted.from], tag)
      const startMs = performance.now()
      await untilDone(on => node.blobs.download(wanted.hash, options, on))
      return { seconds: (performance.now() - startMs) / 1000 }
    },
  },
  () => node.node.shutdown(),
)
