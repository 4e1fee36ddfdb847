/** An origin over HTTPS, served by the real command and read by the sources that a node uses. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { buildAppFolders } from '../support/images/index.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const READER = `
import { createHttpMetadataSource } from ${JSON.stringify(join(import.meta.dirname, '../../src/http/metadata-source.ts'))}
const bytes = await createHttpMetadataSource(process.argv[1]).get('1.root.json', 100000)
console.log(Buffer.from(bytes).toString('base64'))`

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.log('left out: an origin over HTTPS: openssl is not installed')

async function makeCertificate(folder: string): Promise<{ key: string; cert: string }> {
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await promisify(execFile)('openssl', [
    'req',
    ...kind,
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '2',
    ...subject,
  ])
  return { key, cert }
}

describe('an origin over HTTPS', () => {
  if (!hasOpenssl) return

  it('is read by a node that trusts its certificate, and by no other', async () => {
    await using folder = await makeTempFolder()
    const apps = await buildAppFolders({ mode: 'stub' })
    const origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
    const { key, cert } = await makeCertificate(folder.path)
    const options = [
      '--host',
      'localhost',
      '--port',
      '0',
      '--tls-key',
      key,
      '--tls-cert',
      cert,
      '--json',
    ]
    const server = spawn(process.execPath, [MAIN, 'origin', 'serve', origin.folder, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string]
      const { url } = JSON.parse(line) as { url: string }
      expect(url).to.match(/^https:/)
      const read = (env: NodeJS.ProcessEnv): Promise<{ stdout: string }> =>
        promisify(execFile)(process.execPath, ['--input-type=module', '-e', READER, url], { env })
      const trusted = await read({ ...process.env, NODE_EXTRA_CA_CERTS: cert })
      const root = await readFile(origin.rootFile)
      expect(Buffer.from(trusted.stdout, 'base64').equals(root)).to.equal(true)
      const error = await read({ ...process.env, NODE_EXTRA_CA_CERTS: '' }).then(
        () => undefined,
        (reason: Error) => reason,
      )
      expect(error?.message).to.match(/https:.*certificate/)
    } finally {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
  })
})
