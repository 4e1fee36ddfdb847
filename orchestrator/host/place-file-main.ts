/** The program that runs inside the user namespace to write one file: what to write is on standard input. */
import { readFileSync } from 'node:fs'
import { placeFile, placement } from './place-file.ts'

placeFile(placement.parse(JSON.parse(readFileSync(0, 'utf8'))))
