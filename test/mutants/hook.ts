/** Loaded before a test run: gives one file of the project with one mutant in it. Nothing on disk changes. */
import { registerHooks } from 'node:module'
import { applyMutant } from './apply.ts'
import { mutants } from './list.ts'

const index = Number(new URL(import.meta.url).searchParams.get('mutant'))
const mutant = mutants[index]
if (mutant === undefined) throw new TypeError(`there is no mutant ${index}`)
const target = new URL(`../../${mutant.file}`, import.meta.url).href

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== target) return loaded
    const text = Buffer.from(loaded.source as Uint8Array).toString('utf8')
    return { ...loaded, source: applyMutant(mutant, text) }
  },
})
