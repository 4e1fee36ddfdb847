/** What the images of the test apps are made of: Debian files, files of our own, and how the container starts. Pure data. */
import type { RunConfig } from './layout.ts'

/** Everything these packages need besides is in the lab's base. Names with a number belong to Debian 13. */
export const PACKAGES = [
  'busybox-static',
  'libicu76',
  'libjemalloc2',
  'liblzf1',
  'libpq5',
  'libpython3.13-minimal',
  'libpython3.13-stdlib',
  'libxml2',
  'postgresql-17',
  'postgresql-client-17',
  'python3-minimal',
  'python3-psycopg2',
  'python3-redis',
  'python3.13-minimal',
  'redis-server',
  'redis-tools',
] as const

export interface OwnFile {
  readonly path: string
  /** Below `fixtures/apps`. */
  readonly from: string
  readonly mode: number
}

export interface LayerRecipe {
  readonly name: string
  /** Paths in the Debian trees; their libraries follow, except what a lower layer has. */
  readonly debian?: readonly string[]
  readonly exclude?: readonly RegExp[]
  readonly own?: readonly OwnFile[]
  /** Folders that belong to the app's user. */
  readonly appFolders?: readonly string[]
  /** Adds the accounts, the top-level folders and the links of a root file system. */
  readonly skeleton?: true
}

export interface ImageRecipe {
  readonly layers: readonly LayerRecipe[]
  readonly run: RunConfig
}

/** The one account that components run as; the manifests name the same number. */
export const APP_USER_ID = 999

/** What scripts, health checks and people in a container use of BusyBox. */
export const APPLETS = [
  ...[
    'cat',
    'chmod',
    'cp',
    'cut',
    'date',
    'dd',
    'df',
    'du',
    'echo',
    'env',
    'false',
    'grep',
    'head',
  ],
  ...['hostname', 'httpd', 'id', 'ip', 'kill', 'ln', 'ls', 'mkdir', 'mv', 'nc', 'nslookup', 'ping'],
  ...['printf', 'ps', 'rm', 'sed', 'sh', 'sleep', 'sort', 'stat', 'sync', 'tail', 'test', 'touch'],
  ...['tr', 'true', 'wc', 'wget'],
] as const

const LIBRARIES = 'usr/lib/x86_64-linux-gnu'
const POSTGRES = 'usr/lib/postgresql/17'
const PATH = 'PATH=/usr/local/bin:/usr/bin:/usr/sbin'
const USER = `${APP_USER_ID}:${APP_USER_ID}`

/** In every image: one static binary, and no C library. */
const BASE: LayerRecipe = { name: 'busybox', debian: ['usr/bin/busybox'], skeleton: true }

/** In every image of dynamically linked programs: the libraries that two or more of them need. */
const RUNTIME: LayerRecipe = {
  name: 'runtime',
  debian: [
    'usr/lib64/ld-linux-x86-64.so.2',
    ...['libgssapi_krb5.so.2', 'libldap.so.2', 'libm.so.6', 'libssl.so.3', 'libstdc++.so.6'].map(
      name => `${LIBRARIES}/${name}`,
    ),
    `${LIBRARIES}/libsystemd.so.0`,
  ],
}

function helloWeb(folder: string): ImageRecipe {
  const own = ['index.html', 'version'].map(name => ({
    path: `srv/www/${name}`,
    from: `${folder}/www/${name}`,
    mode: 0o644,
  }))
  return {
    layers: [BASE, { name: 'page', own }],
    run: {
      User: USER,
      Env: [PATH],
      Entrypoint: ['/usr/bin/busybox', 'httpd'],
      // In the foreground, every request logged.
      Cmd: ['-f', '-vv', '-p', '8080', '-h', '/srv/www'],
      ExposedPorts: { '8080/tcp': {} },
    },
  }
}

const DATABASE: ImageRecipe = {
  layers: [
    BASE,
    RUNTIME,
    {
      name: 'postgresql',
      debian: [
        ...['initdb', 'pg_dump', 'pg_isready', 'postgres', 'psql'].map(
          name => `${POSTGRES}/bin/${name}`,
        ),
        ...['dict_snowball.so', 'libpqwalreceiver.so', 'plpgsql.so'].map(
          name => `${POSTGRES}/lib/${name}`,
        ),
        'usr/share/postgresql/17',
        'usr/share/zoneinfo/UTC',
        'usr/share/zoneinfo/Etc',
      ],
      exclude: [/^usr\/share\/postgresql\/17\/(man|contrib)$/],
    },
    {
      name: 'entrypoint',
      own: [{ path: 'usr/local/bin/entrypoint', from: 'notes/db/entrypoint', mode: 0o755 }],
      appFolders: ['var/lib/postgresql'],
    },
  ],
  run: {
    User: USER,
    Env: [`${PATH}:/${POSTGRES}/bin`, 'TZ=UTC'],
    Entrypoint: ['/usr/local/bin/entrypoint'],
    ExposedPorts: { '5432/tcp': {} },
    StopSignal: 'SIGINT',
  },
}

const CACHE: ImageRecipe = {
  layers: [
    BASE,
    RUNTIME,
    {
      name: 'redis',
      debian: ['usr/bin/redis-server', 'usr/bin/redis-cli'],
      appFolders: ['data'],
    },
  ],
  run: {
    User: USER,
    Env: [PATH],
    WorkingDir: '/data',
    Entrypoint: ['/usr/bin/redis-server'],
    ExposedPorts: { '6379/tcp': {} },
  },
}

const FRONT_END: ImageRecipe = {
  layers: [
    BASE,
    RUNTIME,
    {
      name: 'python',
      debian: [
        'usr/bin/python3',
        'usr/lib/python3.13',
        'usr/lib/python3/dist-packages/psycopg2',
        'usr/lib/python3/dist-packages/redis',
      ],
      exclude: [
        /^usr\/lib\/python3\.13\/(config-|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtle)/,
        /^usr\/lib\/python3\.13\/lib-dynload\/_(curses|dbm|gdbm|sqlite3|tkinter|test)/,
        /\/__pycache__$/,
        /\/tests$/,
      ],
    },
    { name: 'program', own: [{ path: 'srv/notes.py', from: 'notes/web/notes.py', mode: 0o644 }] },
  ],
  run: {
    User: USER,
    Env: [PATH, 'LANG=C.UTF-8', 'PYTHONDONTWRITEBYTECODE=1', 'PYTHONUNBUFFERED=1'],
    Entrypoint: ['/usr/bin/python3', '/srv/notes.py'],
    ExposedPorts: { '8080/tcp': {} },
  },
}

/** What every small test app is: pages that BusyBox serves, one of them a script. */
function box(name: string, script: string, appFolders: readonly string[]): ImageRecipe {
  const own = [
    { path: 'srv/www/index.html', from: 'shared/index.html', mode: 0o644 },
    { path: `srv/www/cgi-bin/${script}`, from: `shared/${script}`, mode: 0o755 },
  ]
  return {
    layers: [BASE, { name, own, appFolders }],
    run: {
      User: USER,
      Env: [PATH],
      Entrypoint: ['/usr/bin/busybox', 'httpd'],
      Cmd: ['-f', '-p', '8080', '-h', '/srv/www'],
      ExposedPorts: { '8080/tcp': {} },
    },
  }
}

/** Keeps notes in its folder `/data`. */
const BOX = box('box', 'notes', ['data'])
/** Hands requests on to the notes of another container. */
const RELAY = box('relay', 'relay', [])

/** App folder below `fixtures/apps` → its images by the key that the manifest gives them. */
export const APPS = {
  'hello-web': { web: helloWeb('hello-web') },
  'hello-web-2': { web: helloWeb('hello-web-2') },
  notes: { db: DATABASE, cache: CACHE, web: FRONT_END },
  stubborn: { box: BOX },
  'slow-start': { box: BOX },
  'crash-loop': { box: BOX },
  'wrong-port': { box: BOX },
  migration: { box: BOX },
  'needs-notes': { relay: RELAY },
  seven: { db: DATABASE, cache: CACHE, api: FRONT_END, box: BOX, relay: RELAY },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ImageRecipe>>>>

export type AppName = keyof typeof APPS
