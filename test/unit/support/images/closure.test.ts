import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import {
  closureOf,
  hasDynamicSegment,
  listedLibraries,
  mergedUsr,
} from '../../../support/images/closure.ts'
import { packageFiles } from '../../../support/images/debian-packages.ts'

describe('listedLibraries', () => {
  it('reads what the dynamic loader prints and takes the root away', () => {
    const listed = [
      '\tlinux-vdso.so.1 (0x00007fbc78b47000)',
      '\tlibssl.so.3 => /base/usr/lib/x86_64-linux-gnu/libssl.so.3 (0x00007fbc77d3a000)',
      '\tlibpq.so.5 => /tree/usr/lib/x86_64-linux-gnu/libpq.so.5 (0x00007f921c82b000)',
      '\t/lib64/ld-linux-x86-64.so.2 => /base/lib64/ld-linux-x86-64.so.2 (0x00007fbc78b49000)',
      '\t/base/lib64/ld-linux-x86-64.so.2 (0x00007f921c8e0000)',
    ]
    expect(listedLibraries(listed.join('\n'), ['/tree', '/base'])).to.deep.equal([
      'usr/lib/x86_64-linux-gnu/libssl.so.3',
      'usr/lib/x86_64-linux-gnu/libpq.so.5',
      'usr/lib64/ld-linux-x86-64.so.2',
      'usr/lib64/ld-linux-x86-64.so.2',
    ])
  })
})

describe('mergedUsr', () => {
  for (const [path, merged] of [
    ['/lib64/ld.so', 'usr/lib64/ld.so'],
    ['lib/x/../y', 'usr/lib/y'],
    ['usr/bin/x', 'usr/bin/x'],
    ['library/x', 'library/x'],
  ] as const) {
    it(`turns ${path} into ${merged}`, () => {
      expect(mergedUsr(path)).to.equal(merged)
    })
  }
})

describe('hasDynamicSegment', () => {
  /** The header of a 64-bit object whose program headers have these types. */
  function headOf(...types: readonly number[]): Buffer {
    const head = Buffer.alloc(64 + types.length * 56)
    head.write('\x7fELF', 'latin1')
    head.writeBigUInt64LE(64n, 32)
    head.writeUInt16LE(56, 54)
    head.writeUInt16LE(types.length, 56)
    for (const [index, type] of types.entries()) head.writeUInt32LE(type, 64 + index * 56)
    return head
  }

  it('finds PT_DYNAMIC among the program headers', () => {
    expect(hasDynamicSegment(headOf(6, 1, 2))).to.equal(true)
    expect(hasDynamicSegment(headOf(6, 1, 1))).to.equal(false)
  })

  it('is false for a script, an empty file and a cut header', () => {
    for (const text of ['#!/bin/sh\n', '', '\x7fELF']) {
      expect(hasDynamicSegment(Buffer.from(text, 'latin1'))).to.equal(false)
    }
  })
})

describe('closureOf', () => {
  let root = ''
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'archy-closure-'))
    for (const path of ['tree/usr/lib/app/a.py', 'tree/usr/lib/app/test/b.py', 'base/etc/c']) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), path)
    }
    await symlink('../../../etc/c', join(root, 'tree/usr/lib/app/c'))
  })
  after(async () => {
    await rm(root, { recursive: true })
  })

  it('walks folders, follows links into the other trees, and leaves out what it is told to', async () => {
    const roots = [join(root, 'tree'), join(root, 'base')]
    const entries = await closureOf(['usr/lib/app'], { roots, exclude: [/\/test$/] })
    expect(entries.map(entry => `${entry.kind} ${entry.path}`).sort()).to.deep.equal([
      'file etc/c',
      'file usr/lib/app/a.py',
      'folder usr/lib/app',
      'link usr/lib/app/c',
    ])
  })

  it('names a path that no tree has', async () => {
    const outcome = await closureOf(['usr/bin/none'], { roots: [root] }).catch(String)
    expect(outcome).to.contain('no Debian tree holds usr/bin/none')
  })
})

describe('packageFiles', () => {
  it('reads the file names that apt-get --print-uris prints, sorted', () => {
    const printed = [
      "'http://mirror/pool/r/redis-tools_5%3a8.0.2-3_amd64.deb' redis-tools_5%3a8.0.2-3_amd64.deb 12 SHA256:ab",
      "'http://mirror/pool/b/busybox_1.deb' busybox_1.deb 34 SHA256:cd",
    ]
    expect(packageFiles(printed.join('\n'))).to.deep.equal([
      'busybox_1.deb',
      'redis-tools_5%3a8.0.2-3_amd64.deb',
    ])
  })
})
