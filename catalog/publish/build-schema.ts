/** `npm run build:schema`: completes the tables of docs/manifest.md and writes docs/manifest.schema.json. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { completeDocument } from '../manifest/document.ts'
import { manifestJsonSchema } from '../manifest/json-schema.ts'
import { documentedKeys } from '../manifest/reference-table.ts'

const DOCS = join(import.meta.dirname, '../../docs')

const document = completeDocument(await readFile(join(DOCS, 'manifest.md'), 'utf8'))
await writeFile(join(DOCS, 'manifest.md'), document)
const meanings = new Map(documentedKeys(document).map(({ path, meaning }) => [path, meaning]))
const text = `${JSON.stringify(manifestJsonSchema(meanings), null, 2)}\n`
await writeFile(join(DOCS, 'manifest.schema.json'), text)
process.stdout.write('docs/manifest.md and docs/manifest.schema.json are up to date\n')
