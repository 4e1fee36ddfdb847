/**
 * Runs on any Node 20 or newer, before anything is installed: installs the npm packages when they are missing or
 * outdated (the project's own Node 24 is among them), then hands over to TypeScript.
 * Usage: node test/bootstrap.mjs demo|test [arguments]
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const marker = join(modules, '.archy-lock-hash')
const entries = { demo: 'test/demo/main.ts', test: 'test/run.ts' }

/** Type stripping without a warning, and `Promise.withResolvers`, which libp2p needs. */
const NODE_NEEDED = [24, 12]

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])
}

function installPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  process.stderr.write('Installing the npm packages of package-lock.json into node_modules …\n')
  const started = performance.now()
  // Not `npm ci`: it fails where a registry lacks the binaries of a platform that is not this one. What is locked stays
  // locked. No package needs its install script: native code comes prebuilt inside the packages.
  const npm = spawnSync(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    },
  )
  if (npm.status !== 0) fail('npm install failed; its reason stands above.')
  writeFileSync(marker, wanted)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  process.stderr.write(`Installed the npm packages in ${seconds} s.\n`)
}

function findNode() {
  const own = join(modules, '.bin', 'node')
  if (existsSync(own)) return own
  if (isNewEnough(process.versions.node)) return process.execPath
  const needed = NODE_NEEDED.join('.')
  return fail(
    `This needs Node ${needed} or newer. This is ${process.version}, and no packaged Node exists for ` +
      `${process.platform}-${process.arch}: install Node 24 and run the command again.`,
  )
}

const entry = entries[process.argv[2]]
if (entry === undefined) fail('usage: node test/bootstrap.mjs demo|test [arguments]')
installPackages()
const node = findNode()
const child = spawn(node, [join(root, entry), ...process.argv.slice(3)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH}` },
})
child.on('error', error => fail(`cannot run ${node}: ${error.message}`))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
// The child cleans up what it made and then ends; this process ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
