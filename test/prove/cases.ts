/** The cases that a catalog client gets wrong most easily, each with the tests that hold it. Pure data. */

/** File → beginnings or other parts of full titles, each of which must stand in at least one test; none: the whole file. */
export type Tests = Readonly<Record<string, readonly string[]>>

const UNIT = 'test/unit/catalog'
const ACCEPT = `${UNIT}/trust/accept.test.ts`
const HOSTILE = `${UNIT}/trust/hostile.test.ts`
const KEY = `${UNIT}/trust/key.test.ts`
const PLAIN = `${UNIT}/trust/plain-client.test.ts`
const PROFILE = `${UNIT}/trust/profile.test.ts`
const REFRESH = `${UNIT}/trust/refresh.test.ts`
const VERSIONS = `${UNIT}/trust/versions.test.ts`
const ENTRIES = `${UNIT}/entries.test.ts`
const FORK = `${UNIT}/fork.test.ts`
const FRESHNESS = `${UNIT}/freshness.test.ts`
const RESOLVE = `${UNIT}/resolve.test.ts`
const ROLLOUT = `${UNIT}/rollout.test.ts`
const CANONICAL = 'test/unit/core/canonical-json.test.ts'
const REFEREE = 'test/conformance/tuf-referee.test.ts'
const CLIENT = 'test/integration/catalog-client.test.ts'
const CRASH = 'test/integration/catalog-crash.test.ts'
const SOURCES = 'test/integration/catalog-sources.test.ts'
const RELAY = 'test/integration/catalog-relay.test.ts'
const CEREMONY = 'test/integration/origin-ceremony.test.ts'
const FEED = `${UNIT}/trust/feed.test.ts`
const FEEDS = 'test/integration/catalog-feeds.test.ts'
const PUBLISHER = 'test/integration/origin-publisher.test.ts'

/** Each in words. That mistakes put into the verifier are noticed is one more, and a command of its own. */
export const CASES: Readonly<Record<string, Tests>> = {
  'files above their bound, with and without a signed length': {
    [VERSIONS]: ['sizes reads root', 'sizes reads timestamp', 'sizes reads snapshot', 'a role of'],
    [REFRESH]: ['is the bound where the parent signed no length', 'source gives more'],
  },
  'the signed length is the bound of what is asked for': {
    [REFRESH]: ['or the length that its parent signed', 'signed length is above the bound'],
    'test/unit/catalog/trust/refresh-bounds.test.ts': ['asks for as many bytes'],
  },
  'an unsigned root with 10,000 keys costs little': {
    [HOSTILE]: ['with 10,000 keys'],
    [ACCEPT]: ['refuses a huge root that nobody signed'],
  },
  'the bound of root rotations, and going on from there': {
    [SOURCES]: ['goes on from the last root of a cycle'],
  },
  'the bound of delegated roles, and their depth': {
    [PLAIN]: ['opens at most 32 delegated roles', 'goes deep before'],
    [SOURCES]: ['does not end in a circle of delegations'],
  },
  'one key under two ids, or in two spellings, counts once': {
    [ACCEPT]: ['counts one key under two ids once', 'counts one P-256 key in two spellings once'],
  },
  'an expiry that is not a plain time': {
    [ACCEPT]: [
      '{"expires":"never"}',
      '{"expires":"2027-01-01T00:00:00"}',
      '{"expires":"2027-01-01T00:00:00.5Z"}',
      '{"expires":"2027-01-01T00:00:00+01:00"}',
      '{"expires":"10000-01-01T00:00:00Z"}',
      '{"expires":1798761600}',
    ],
  },
  'a version that is not a whole positive number': {
    [ACCEPT]: ['{"version":0}', '{"version":-1}', '{"version":"1"}', 'not an integer before'],
    [PROFILE]: ['refuses the number 1.5', 'refuses the number 9007199254740992'],
  },
  'another or no specification version': { [ACCEPT]: ['{"spec_version":"2.0.0"}', 'refuses {}'] },
  'a delegated role with the name of a top-level role or a prototype member': {
    [ACCEPT]: ['role named "root"', 'role named "timestamp"', 'role named "snapshot"'],
    [PROFILE]: ['refuses the role name "targets"', 'refuses the role name "__proto__"'],
  },
  'one role delegated twice': { [ACCEPT]: ['a delegated role that stands there twice'] },
  'hashes that are empty, in capitals or short': {
    [ACCEPT]: ['"hashes":{}', '"sha256":"AAAA', '"sha256":"aa"'],
  },
  'lookups of prototype members, empty and leading paths': {
    [PLAIN]: ['at "constructor"', 'at "__proto__"', 'at ""', 'at ".."', 'at "/f"'],
    [ENTRIES]: ['does not know "constructor"', 'does not know "__proto__"'],
  },
  'one version with two contents is an alarm with proof': {
    [FORK]: ['one version has two contents'],
    [SOURCES]: ['keeps the first, proves the fork'],
  },
  'two successors of one head are an alarm although their numbers never meet': {
    [FORK]: ['although their numbers differ'],
    [SOURCES]: ['sees two successors of one head'],
  },
  'a second signature over one content is no alarm': {
    [FORK]: ['however often it was signed'],
    [SOURCES]: ['raises no alarm for a second signature'],
  },
  'a P-384 key under a P-256 scheme': { [KEY]: ['a P-384 key under a P-256 scheme'] },
  'Ed25519 keys of small order': {
    [KEY]: ['the gate for Ed25519 keys refuses'],
    [ACCEPT]: ['refuses Ed25519 keys of small order'],
  },
  'another version than the parent says, at the right address': {
    [VERSIONS]: ['3 where 2 is due', '3 where 4 is due'],
  },
  'canonical JSON of everything odd': {
    [CANONICAL]: [
      'escapes only the quote and the backslash',
      'orders names by code points',
      'control characters raw',
      'minus zero, 1.0 and 1e0',
      'refuses what another implementation would sign',
    ],
    [PROFILE]: ['refuses the number 1e21', 'refuses −0'],
    [HOSTILE]: ['a text is half a character'],
  },
  'path patterns that implementations read differently': {
    [ACCEPT]: ['pattern {a,b}', 'pattern !a', 'pattern #a'],
    'test/unit/catalog/trust/lookup.test.ts': ['"*" matches ".hidden"'],
  },
  'files cut short on disk, and kill -9 between each two writes': {
    [CLIENT]: [
      'heals a truncated 2.root.json',
      'heals a truncated timestamp.json',
      'heals a truncated 1.snapshot.json',
      'heals a truncated 1.targets.json',
    ],
    [CRASH]: [],
  },
  'a silent origin, with a valid, a stale and an expired catalog': {
    [CLIENT]: ['survives a new start without the origin', 'tells fresh, stale and expired apart'],
    [SOURCES]: ['works from what it has', 'takes an expired catalog when it has none'],
  },
  'a clock in 1971, in 2090, 9 and 11 minutes behind': {
    [FRESHNESS]: [
      'tolerates a small step back',
      'takes the signed time for now beyond that',
      'stale in 1971 too',
      'is stale instead of expired when the origin',
    ],
  },
  'the catalog from one honest peer among four liars': {
    [SOURCES]: ['one honest peer among four liars'],
    [RELAY]: ['from one neighbour alone'],
  },
  'a root that all but one peer withhold': { [SOURCES]: ['a root that all but one peer withhold'] },
  'two years offline, a hundred roots': { [SOURCES]: ['comes back after two years'] },
  '300 and 1,100 roots': { [SOURCES]: ['300 at once, 1,100 in two'] },
  'version numbers that a thief used up, and the way back': {
    [ACCEPT]: ['refuses a version that jumps far'],
    [CLIENT]: ['once a new root has replaced the keys that signed too high ones'],
    [CEREMONY]: ['make nodes forget version numbers'],
  },
  'withdrawal, floor, signed way back, and numbers that never fall': {
    [RESOLVE]: [
      'nothing that was withdrawn',
      'nothing below the floor',
      'when its publisher signed that',
      'holds for any input',
    ],
  },
  'rollout: shares, steps, halt, and private seeds': {
    [ROLLOUT]: [
      'within one percent',
      'never leaves a node that it reached',
      'while it is halted',
      'another program can compute',
    ],
  },
  'the file of a stranger cannot shadow what the origin lists': {
    [FEEDS]: ['never lets a stranger stand before'],
    [SOURCES]: ['hears nobody about paths that another role decides over'],
    [RESOLVE]: ['nothing of a stranger without consent', 'nothing under an id that another'],
  },
  'the same bytes are valid alone and as a delegated role': {
    [FEED]: ['is the same bytes as the role'],
    [FEEDS]: ['hears the origin alone once it lists the publisher, with the same bytes'],
    [PUBLISHER]: ['whose bytes an origin lists unchanged'],
  },
  'a publisher that the origin withdrew': {
    [SOURCES]: ['whose did the origin revoked'],
    [FEEDS]: ['marks a stranger whose did the origin revoked'],
    [RESOLVE]: ['nothing new of a publisher that was revoked'],
    [PUBLISHER]: ['is revoked for good'],
  },
  'a publisher that moves to the key it committed to': {
    [FEED]: ['moves to the key that was committed to', 'taken over by a thief of the present key'],
    [PUBLISHER]: ['moves to the key that it committed to'],
  },
  'what is published is accepted by others, and always the same bytes': {
    [REFEREE]: ['after each publication', 'also after it rotated', 'is the same bytes whenever'],
  },
  'key files: another passphrase, a changed bit, a swapped public key': {
    'test/unit/catalog/publish/keys/key-file.test.ts': [
      'another passphrase',
      'when a bit of them was changed',
      'another public key was put before',
    ],
  },
  'a signing machine that was restored refuses to stamp': {
    [CEREMONY]: ['refuse to stamp from a folder that was restored'],
  },
  'a bundle gives what the network gives': {
    'test/integration/origin-bundle.test.ts': ['the catalog that the network would give it'],
    'test/integration/bundle-import.test.ts': ['brings catalog and apps'],
  },
}
