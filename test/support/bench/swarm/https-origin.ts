/** nginx on loopback, over TLS with a certificate of its own: the origin and, with curl, the rival that everybody has. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { waitFor } from '../../wait-for.ts'
import type { Bench } from './bench.ts'
import { type Usage, usageOf } from './usage.ts'

const START_TIMEOUT_MS = 10_000

export interface HttpsOrigin extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The certificate: curl and nodes must be told to trust it. */
  readonly certificateFile: string
  /** Of the process that serves. */
  usage(): Usage
}

/** Serves the public folder of the benchmark. @throws when nginx or openssl is not installed */
export async function startHttpsOrigin(bench: Bench): Promise<HttpsOrigin> {
  const { publicFolder, running } = bench
  const folder = bench.newFolder('nginx')
  await mkdir(folder, { recursive: true })
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  await makeCertificate(keyFile, certificateFile)
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  await writeFile(config, configText({ folder, publicFolder, port, keyFile, certificateFile }))
  // The shell ends nginx when the benchmark ends in whatever way, because its standard input then ends.
  const script =
    'nginx -e "$0/error.log" -p "$0" -c "$0/nginx.conf" & cat > /dev/null; kill $!; wait $!'
  const shell = spawn('sh', ['-c', script, folder], { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = once(shell, 'exit')
  const stop = async (): Promise<void> => {
    shell.stdin?.end()
    await ended
    running.delete(entry)
  }
  const entry = { kill: stop }
  running.add(entry)
  try {
    const pid = await waitFor('nginx to serve', START_TIMEOUT_MS, () => findWorker(folder))
    return {
      url: `https://127.0.0.1:${port}/`,
      port,
      certificateFile,
      usage: () => usageOf(pid),
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    const log = await readFile(join(folder, 'error.log'), 'utf8').catch(() => '')
    throw new Error(`nginx does not start: ${log}`, { cause: error })
  }
}

async function makeCertificate(keyFile: string, certificateFile: string): Promise<void> {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', keyFile, '-out', certificateFile]
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...name, ...files])
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** The one worker: the child of the process that `nginx.pid` names. */
async function findWorker(folder: string): Promise<number | undefined> {
  const master = Number(await readFile(join(folder, 'nginx.pid'), 'utf8').catch(() => ''))
  if (!(master > 0)) return undefined
  const children = await readFile(`/proc/${master}/task/${master}/children`, 'utf8').catch(() => '')
  const worker = Number(children.trim().split(' ')[0])
  return worker > 0 ? worker : undefined
}

interface ConfigParts {
  readonly folder: string
  readonly publicFolder: string
  readonly port: number
  readonly keyFile: string
  readonly certificateFile: string
}

function configText({ folder, publicFolder, port, keyFile, certificateFile }: ConfigParts): string {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${folder}/${name};`,
  )
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  ${places.join(' ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificateFile}; ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.3;
    root ${publicFolder};
  }
}
`
}
