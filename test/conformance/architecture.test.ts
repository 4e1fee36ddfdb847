/**
 * Checks the layer rules of ARCHITECTURE.md.
 * Goal: an import that points the wrong way fails here, naming the file and the target.
 * Method: read every source file once and match its import statements.
 */
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'

/** Layer → what it may import. A file belongs to the longest layer path that contains it. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'src/core': ['src/core'],
  swarm: ['swarm', 'src/core'],
  catalog: ['catalog', 'src/core'],
  orchestrator: ['orchestrator', 'catalog', 'src/core'],
  src: ['src', 'src/core', 'swarm', 'catalog', 'orchestrator'],
  systemd: ['systemd', 'src', 'src/core', 'orchestrator'],
}

/** Package → the only paths that may import it. A scope stands for all of its packages. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  libp2p: ['swarm/libp2p'],
  '@libp2p': ['swarm/libp2p'],
  '@chainsafe': ['swarm/libp2p'],
  '@multiformats': ['swarm/libp2p'],
  multiformats: ['swarm/libp2p', 'catalog/trust/did-key.ts'],
  'it-pipe': ['swarm/libp2p'],
  'datastore-core': ['swarm/libp2p'],
  'interface-datastore': ['swarm/libp2p'],
  level: ['swarm/store'],
  'blake3-wasm': ['src/core/digest.ts'],
  yaml: ['src/core/yaml.ts'],
  pino: ['src/core/log.ts'],
  execa: ['orchestrator/host'],
  'dbus-native': ['orchestrator/host/bus.ts'],
  'tar-stream': ['catalog/publish'],
  '@aws-sdk': ['catalog/publish/destination/s3.ts'],
  undici: ['swarm/origin', 'src/http', 'orchestrator/host/podman-api.ts'],
  fastify: ['src/http'],
  'prom-client': ['src/http/metrics-text.ts'],
  '@fastify': ['src/http'],
  commander: ['src/main.ts', 'src/commands'],
}

/** Exported name → the only path that may import it: what would forge a proof elsewhere. */
const NAMES: Readonly<Record<string, string>> = {
  mintVerifiedBlob: 'swarm/store',
}

const IMPORT =
  /^\s*(?:import|export)\b([^'"]*?)from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm

function layerOf(path: string): string | undefined {
  return Object.keys(LAYERS)
    .filter(layer => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0]
}

function packageOf(target: string): string {
  return target.split('/')[0] ?? ''
}

function problemWith(file: string, target: string, names: string): string | undefined {
  const problem = `${file} imports ${target}`
  if (target.startsWith('node:')) return undefined
  if (!target.startsWith('.')) {
    const owners = PACKAGES[packageOf(target)]
    return owners === undefined || owners.some(owner => file.startsWith(owner))
      ? undefined
      : problem
  }
  for (const [name, owner] of Object.entries(NAMES)) {
    if (names.includes(name) && !file.startsWith(owner)) return `${file} imports ${name}`
  }
  const from = layerOf(file) ?? ''
  const to = layerOf(join(dirname(file), target)) ?? ''
  if (!LAYERS[from]?.includes(to)) return problem
  // The program itself has no front door: only the installer comes from outside.
  const throughFrontDoor =
    to === from || to === 'src/core' || to === 'src' || target.endsWith('/index.ts')
  return throughFrontDoor ? undefined : `${problem} past ${to}/index.ts`
}

function problemsIn(file: string, text: string): readonly string[] {
  return [...text.matchAll(IMPORT)]
    .map(match => problemWith(file, match[2] ?? match[3] ?? match[4] ?? '', match[1] ?? ''))
    .filter(problem => problem !== undefined)
}

/** Files and folders that only decide: what they may not contain, because it acts or asks the world. */
const PURE = [
  'catalog/trust/',
  'catalog/manifest/',
  'catalog/freshness.ts',
  'catalog/fork.ts',
  'catalog/resolve.ts',
  'catalog/rollout.ts',
  'catalog/shelves.ts',
  'swarm/catalog-relay/messages.ts',
  'swarm/store/claims.ts',
  'swarm/store/collection.ts',
  'swarm/store/footprint.ts',
  'swarm/store/space.ts',
  'swarm/transfer/session.ts',
  'swarm/transfer/session-state.ts',
  'swarm/transfer/piece-table.ts',
  'swarm/transfer/schedule.ts',
  'swarm/transfer/origins.ts',
  'swarm/transfer/late-pieces.ts',
  'swarm/transfer/setbacks.ts',
  'swarm/wire.ts',
  'swarm/discovery/peers-message.ts',
  'swarm/libp2p/provider-table.ts',
  'swarm/serving/policy.ts',
  'swarm/serving/schedule.ts',
  'swarm/serving/conduct.ts',
  'swarm/serving/slots.ts',
  'swarm/serving/goodput.ts',
  'swarm/serving/message-cost.ts',
  'swarm/bulk/der.ts',
  'swarm/bulk/tokens.ts',
  'swarm/data-head.ts',
  'swarm/frame-reader.ts',
  'orchestrator/units/',
  'orchestrator/plan.ts',
  'orchestrator/consent.ts',
  'orchestrator/settings.ts',
  'orchestrator/versions.ts',
  'orchestrator/hooks/memory.ts',
  'orchestrator/hooks/redact.ts',
  'src/keeper.ts',
  'src/doctor/checks/',
  'src/doctor/check.ts',
  'src/doctor/examine.ts',
  'src/doctor/parse.ts',
  'systemd/setup/plan.ts',
]
const IMPURE =
  /from 'node:(fs|fs\/promises|net|http|https|tls|dgram|child_process|timers|worker_threads)'|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bsetTimeout\(/

describe('architecture', () => {
  for (const folder of ['src', 'swarm', 'catalog', 'orchestrator', 'systemd']) {
    it(`${folder}/ imports only what its layer allows`, async () => {
      const problems: string[] = []
      for (const name of await readdir(folder, { recursive: true })) {
        if (!name.endsWith('.ts')) continue
        const file = join(folder, name)
        problems.push(...problemsIn(file, await readFile(file, 'utf8')))
      }
      expect(problems).to.deep.equal([])
    })
  }

  it('keeps files that decide free of I/O, clocks and chance', async () => {
    const problems: string[] = []
    for (const place of PURE) {
      const names = place.endsWith('/') ? await readdir(place, { recursive: true }) : ['']
      for (const name of names.filter(each => each === '' || each.endsWith('.ts'))) {
        const found = IMPURE.exec(await readFile(join(place, name), 'utf8'))
        if (found !== null) problems.push(`${join(place, name)}: ${found[0]}`)
      }
    }
    expect(problems).to.deep.equal([])
    expect('const now = Date.now()').to.match(IMPURE)
  })

  it('sees a wrong layer, a wrong package owner, a side entrance and a forged proof', () => {
    const planted = {
      'swarm/a.ts': "import { parse } from '../catalog/index.ts'",
      'catalog/b.ts': "import { Level } from 'level'",
      'orchestrator/c.ts': "import { x } from '../catalog/manifest/schema.ts'",
      'src/d.ts': "import { mintVerifiedBlob } from './core/blob.ts'",
      'catalog/e.ts': "export * from 'libp2p'",
    }
    for (const [file, text] of Object.entries(planted)) {
      expect(problemsIn(file, text), file).to.have.length(1)
    }
  })
})
