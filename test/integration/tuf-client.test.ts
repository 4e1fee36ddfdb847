/**
 * The executable for the official TUF conformance suite, run as the suite runs it: a process per step against an HTTP server.
 * Goal: exit codes, trusted files and downloads equal the recording.
 * Method: serve the recorded answers, move the clock of the process to the recorded time.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeTempFolder } from '../support/temp-folder.ts'
import { idOf, type RecordedCase, type Recording, type Step } from '../support/tuf/recording.ts'
import { readVectors } from '../support/vectors.ts'

const CLIENT = join(import.meta.dirname, '../conformance/tuf-client')

/** One of each kind; `npm run conformance:tuf` replays all of them inside one process. */
const CHOSEN =
  /refresh_trusted_data|unsigned_initial_root|expired_local_timestamp|in_sub_dir|artifact_cache|rsa|unusual_role_name|targets_fast_forward|sigstore|cyclic|3-of-5-all-keys|metadata_bytes_match/

const recording = readVectors('tuf-conformance-part.json.gz') as Recording | undefined

if (recording !== undefined) {
  describe('the executable for the TUF conformance suite', function () {
    this.timeout(120_000)
    for (const recorded of recording.cases.filter(({ name }) => CHOSEN.test(name))) {
      it(`ends as recorded in ${recorded.name}`, () => run(recorded, recording.blobs))
    }
  })
}

async function run({ steps }: RecordedCase, blobs: Recording['blobs']): Promise<void> {
  await using folder = await makeTempFolder()
  const [metadata, targets] = [join(folder.path, 'metadata'), join(folder.path, 'targets')]
  await mkdir(metadata)
  await mkdir(targets)
  let current: Step | undefined
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1))
    const answer = current?.http.find(
      each => each.path === (request.url ?? '').slice(1) || each.path === path,
    )
    response.writeHead(answer?.status ?? 404)
    response.end(answer?.body === undefined ? '' : Buffer.from(blobs[answer.body] ?? '', 'base64'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const [index, step] of steps.entries()) {
      current = step
      const root = join(folder.path, 'initial_root.json')
      if (step.root !== undefined) {
        await writeFile(root, Buffer.from(blobs[step.root] ?? '', 'base64'))
      }
      const code = await runClient(argumentsOf(step, base, metadata, targets, root), step.now)
      expect(code, `step ${index} (${step.cmd})`).to.equal(step.exit)
      expect(await filesOf(metadata)).to.deep.equal(step.trusted)
      if (step.downloaded === undefined) continue
      const downloaded = Object.values(await filesOf(targets)).sort()
      expect(downloaded).to.deep.equal([...step.downloaded].sort())
    }
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

function argumentsOf(
  step: Step,
  base: string,
  metadata: string,
  targets: string,
  root: string,
): readonly string[] {
  if (step.cmd === 'init') return ['--metadata-dir', metadata, 'init', root]
  const from = ['--metadata-url', `${base}/M/`, '--metadata-dir', metadata]
  if (step.cmd === 'refresh') return [...from, 'refresh']
  const names = (step.targets ?? []).flatMap(name => ['--target-name', name])
  return [...from, ...names, '--target-dir', targets, '--target-base-url', `${base}/T/`, 'download']
}

async function runClient(args: readonly string[], now: string): Promise<number> {
  const shift = `const now=Date.now,by=${Date.parse(now)}-now();Date.now=()=>now()+by`
  const env = {
    ...process.env,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}`,
  }
  return await new Promise(resolve => {
    execFile(CLIENT, args, { env }, error => {
      resolve(error === null ? 0 : typeof error.code === 'number' ? error.code : -1)
    })
  })
}

/** The files in `folder` (not below it), as the recording names content. */
async function filesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(each => each.isFile())
  const named = entries.map(
    async ({ name }) => [name, idOf(await readFile(join(folder, name)))] as const,
  )
  return Object.fromEntries(await Promise.all(named))
}
