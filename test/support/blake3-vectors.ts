/** The official BLAKE3 vectors: inputs are the bytes 0…250 repeating; of the output only the first 32 bytes are ours. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

export const VECTORS = '../shared/vectors/blake3.json'

const schema = z.object({ cases: z.array(z.object({ input_len: z.number(), hash: z.string() })) })

export function readVectors(path: string): z.infer<typeof schema> {
  return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
}
