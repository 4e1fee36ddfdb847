/** The mutants of the verifier and of what decides by its answer; each must be noticed by a test. */
import type { Mutant } from './apply.ts'

type Line = readonly [from: string, to: string, why: string, equivalent?: string]

const byFile: Readonly<Record<string, readonly Line[]>> = {
  'catalog/trust/accept.ts': [
    ['if (rules.strict) checkRootProfile(name, root)', '', 'weak keys in the first root'],
    [
      'checkRootProfile(name, root, current)',
      'checkRootProfile(name, root, root)',
      'weak keys in a later root',
    ],
    ['checkNoStray(name, envelope, byOld, byNew)', '', 'signatures that a relay adds to a root'],
    [
      'if (rules.strict) checkFileForm(name, bytes, envelope, byOld.bytes)',
      '',
      'two files with one content: a root',
    ],
    [
      'root.roles.root, byOld.bytes)',
      'current.roles.root, byOld.bytes)',
      'a root that its own keys did not sign',
    ],
    [
      'checkSignatures(name, envelope, current.roles.root)',
      'checkSignatures(name, envelope, parseRoot(name, envelope.signed).roles.root)',
      'a root that the keys before it did not sign',
    ],
    [
      'checkExactVersion(name, root.version, current.version + 1)',
      '',
      'a root that skips versions',
    ],
    [
      'SNAPSHOT_BYTES_MAX, root.roles.snapshot, rules)',
      'SNAPSHOT_BYTES_MAX, root.roles.timestamp, rules)',
      "a snapshot signed by another role's key",
    ],
    [
      'TIMESTAMP_BYTES_MAX, root.roles.timestamp, rules)',
      'TIMESTAMP_BYTES_MAX, root.roles.snapshot, rules)',
      "a timestamp signed by another role's key",
    ],
    [
      'found.version > floor.version + VERSION_STEP_MAX',
      'found.version >= floor.version + VERSION_STEP_MAX',
      'the largest jump that is allowed',
    ],
    [
      'found.version < floor.version',
      'found.version <= floor.version',
      'the version that is known already',
    ],
    ['model.expiresMs > nowMs', 'model.expiresMs >= nowMs', 'the moment of expiry itself'],
    ['    checkNoStray(name, envelope, signed)\n', '', 'signatures that a relay adds'],
    [
      "if (rules.strict) checkMetaProfile('snapshot.json', timestamp.snapshot)",
      '',
      'a snapshot without hash or length',
    ],
    ['checkMetaProfile(`${role}.json`, meta)', '', 'a role without hash or length'],
    ['if (rules.strict) checkRoleProfile(name, keys)', '', 'weak keys of a delegated role'],
    ['found.content !== floor.content', 'false', 'equivocation: two contents under one version'],
    [
      'if (rules.strict) checkTimestampProfile(name, timestamp, root)',
      '',
      'a stolen key that signs for years',
    ],
    ['checkVersion(name, snapshot, floors.snapshot, rules)', '', 'rollback of the snapshot'],
    ['checkVersion(name, timestamp, floors.timestamp, rules)', '', 'rollback of the timestamp'],
    ['checkVersion(name, targets, floor, rules)', '', 'rollback of targets'],
    [
      'checkVersion(`snapshot.json in ${name}`, snapshot, floors.snapshot, rules)',
      '',
      'rollback of the snapshot that a timestamp names',
    ],
    [
      'checkExactVersion(name, targets.version, expected.version)',
      '',
      'targets of another version at the right address',
    ],
    [
      'checkExactVersion(name, snapshot.version, expected.version)',
      '',
      'a snapshot of another version at the right address',
    ],
    [
      'for (const delegation of targets.delegations) checkDelegationProfile(name, delegation)',
      '',
      'patterns that clients read differently',
    ],
  ],
  'catalog/trust/signatures.ts': [
    [
      'claimed.length < role.threshold',
      'claimed.length <= role.threshold',
      'a file with exactly enough signatures',
    ],
    [
      'if (claimed.length < role.threshold) throw tooFew(name, claimed.length, role)',
      '',
      'work for bytes that nobody signed',
    ],
    ['signers.size < role.threshold', 'valid.size < role.threshold', 'one key that counts twice'],
    ['signers.add(opened.material)', 'signers.add(signature.keyid)', 'one key under two ids'],
    ['!isSignedBy(opened, bytes, signature.sig)', 'false', 'the signature itself'],
    ['!checked.some', '!checked.every', 'a root that old and new keys signed'],
  ],
  'catalog/trust/profile.ts': [
    ['index > 0 && id <= (', 'index > 1 && id <= (', 'signatures in another order'],
    [
      'if (isAsSigned && isPrintable(bytes)) return',
      'if (isAsSigned) return',
      'text that implementations sort or write differently',
    ],
    ['materials.size < role.threshold', 'role.keys.size < role.threshold', 'distinct key material'],
    ['expiresMs - issuedMs <= days', 'expiresMs - issuedMs < days', 'the longest validity itself'],
    ["meta.hashes.has('sha256') && ", '', 'a role without the hash that all clients know'],
    [
      'pattern.length <= PATTERN_CHARS_MAX',
      'pattern.length < PATTERN_CHARS_MAX',
      'the longest pattern',
    ],
    ['delegation.pathHashPrefixes.length > 0 || ', '', 'delegation by hash prefixes'],
    ['if (!root.consistentSnapshot)', 'if (false)', 'a root without consistent snapshots'],
    [
      'root.policy?.maxTimestampDays ?? TIMESTAMP_DAYS_MAX',
      'TIMESTAMP_DAYS_MAX',
      "the origin's own bound on validity",
    ],
    ['meta.length !== undefined && ', '', 'a role without a length'],
  ],
  'catalog/trust/floors.ts': [
    ['root.version < floors.root', 'root.version <= floors.root', 'recovery from a fast-forward'],
    ['Math.max(floors.issuedMs, issuedMs)', 'issuedMs', 'the floor of the clock'],
    [
      'seen.version > old.version) return seen',
      'seen.version >= old.version) return seen',
      'the content that was seen first',
    ],
    [
      'seen.version === old.version && old.content === undefined',
      'seen.version === old.version',
      'the content that was seen first',
    ],
    [
      'fingerprint(root.roles.timestamp, root.roles.snapshot)',
      'fingerprint(root.roles.timestamp)',
      'recovery when the snapshot key is replaced',
    ],
    ["?? '').sort(),", "?? ''),", 'floors that are lost by another order of keys'],
    [
      '{ ...noFloors, root: root.version, online }',
      '{ ...floors, root: root.version, online }',
      'recovery from a fast-forward',
    ],
  ],
  'catalog/trust/key.ts': [
    [
      '    if (!fits(scheme, opened)) return undefined\n',
      '',
      'a key of another kind than its scheme',
    ],
    ["=== 'prime256v1'", '!== undefined', 'a P-384 key under the P-256 scheme'],
    ["isEcdsa && scheme === 'ecdsa-sha2-nistp256'", 'isEcdsa', 'an unknown scheme'],
    ["dsaEncoding: 'der'", "dsaEncoding: 'ieee-p1363'", 'the form of ECDSA signatures'],
    [
      "if (!/^[0-9a-f]{64}$/i.test(text)) throw new TypeError('not 32 bytes in hex')",
      '',
      'a key with trailing bytes',
    ],
  ],
  'catalog/trust/key-gate.ts': [
    [' && point.isTorsionFree()', '', 'keys that implementations judge differently'],
  ],
  'catalog/trust/envelope.ts': [
    ['bytes.length > maxBytes', 'bytes.length > maxBytes * 2', 'size caps'],
    ['signatures.length > SIGNATURE_COUNT_MAX', 'false', 'the cap on signatures'],
    [
      'new Set(parsed.map(({ keyid }) => keyid)).size !== parsed.length',
      'false',
      'two signatures under one id',
    ],
  ],
  'catalog/trust/bytes.ts': [
    [
      'bytes.length !== expected.length',
      'bytes.length > expected.length',
      'a file that is too short',
    ],
    ['if (found !== hash) throw', 'if (false) throw', 'the hash of a file'],
    ['if (found !== expected.blake3) throw', 'if (false) throw', 'the BLAKE3 hash of a file'],
  ],
  'catalog/trust/fields.ts': [
    ['Object.hasOwn(value, key) ? value[key] : undefined', 'value[key]', 'lookups in a prototype'],
    ['!Number.isSafeInteger(value) || ', '', 'versions beyond 2^53, and fractions'],
  ],
  'catalog/trust/structure.ts': [
    ['if (found !== type)', 'if (false)', 'a document of another type'],
    ['if (seen.has(name))', 'if (false)', 'a role that is delegated twice'],
    ['if (isTopRole(name)) {', 'if (false) {', 'a delegated role named like a top-level one'],
    ['if (hashes.size === 0) throw', 'if (false) throw', 'a file without hashes'],
  ],
  'catalog/trust/lookup.ts': [
    ['matching.slice(0, end + 1)', 'matching', 'terminating delegations'],
    [
      'if (patterns.length !== parts.length) return false',
      '',
      'a pattern that matches deeper paths',
    ],
    ['hash.startsWith(prefix)', 'hash.includes(prefix)', 'delegation by hash prefix'],
  ],
  'catalog/trust/refresh.ts': [
    ['root.version < highest', 'false', 'rollback of the root'],
    ['expected.length ?? cap', 'cap', 'the signed length as cap'],
    ['bytes.length > maxBytes', 'false', 'a source that sends more than was asked for'],
  ],
  'catalog/freshness.ts': [
    ['systemMs < floorMs - CLOCK_TOLERANCE_MS', 'systemMs < floorMs', 'small steps of the clock'],
    [
      'systemMs < floorMs - CLOCK_TOLERANCE_MS ? floorMs : systemMs',
      'systemMs',
      'a clock in the past switches expiry off',
    ],
    [
      "if (nowMs < expiresMs) return 'fresh'",
      "if (nowMs <= expiresMs) return 'fresh'",
      'the moment of expiry itself',
    ],
    ['isClockAhead || ', '', 'a clock that is ahead'],
    ["has('FORK') ? 'no' : accepted", 'accepted', 'installs during a fork'],
    ["!has('FORK') && ", '', 'updates during a fork'],
    [" && !has('ROOT_STUCK')", '', 'updates while a root is withheld'],
    [
      "install === 'accept-stale' && isStaleAccepted",
      'isStaleAccepted',
      'consent to one expired catalog',
    ],
  ],
  'catalog/fork.ts': [
    ['if (link.content === seen.content) continue', '', 'one content signed twice is no fork'],
    ['if (link.version === seen.version) {', 'if (false) {', 'two contents under one version'],
    ['a.version === b?.version && ', '', 'two successors of one head'],
  ],
  'catalog/rollout.ts': [
    ['if (halted) return 0', '', 'a halted release'],
    ['nowMs >= startMs', 'nowMs > startMs', 'the moment a step begins'],
    ['reached.at(-1)', 'reached.at(0)', 'later steps of a release'],
    ['\\0${salt}\\0', '\\0\\0', 'a new draw for each release'],
    ['readUInt32BE(0)', 'readUInt32LE(0)', 'the bucket that other implementations compute'],
    [
      '< percentAt(rollout, nowMs) / 100',
      '<= percentAt(rollout, nowMs) / 100',
      'the bound of a bucket',
      'the two differ for one hash in 2^32, which nobody can find in the time of a test',
    ],
  ],
}

export const mutants: readonly Mutant[] = Object.entries(byFile).flatMap(([file, lines]) =>
  lines.map(([from, to, why, equivalent]) => ({
    file,
    from,
    to,
    why,
    ...(equivalent === undefined ? {} : { equivalent }),
  })),
)
