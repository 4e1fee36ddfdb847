/** How an update to a generation is judged, and whether it can be undone: the manifest's `update`, in milliseconds. */
import { z } from 'zod'
import { type AppManifest, durationMs } from '../catalog/index.ts'

export const updateTermsSchema = z.strictObject({
  /** False: nothing older can run on its data once it has run. */
  canGoBack: z.boolean(),
  /** Healthy without a break for so long, or the update is taken back. */
  healthyForMs: z.number(),
  /** How long after that a failure still takes it back. */
  probationMs: z.number(),
  /** Data sets that are copied before its first start. */
  saves: z.array(z.string()),
})

export type UpdateTerms = z.infer<typeof updateTermsSchema>

/** Of generations that nobody declared terms for, such as adopted ones. */
export const NO_TERMS: UpdateTerms = {
  canGoBack: true,
  healthyForMs: 0,
  probationMs: 0,
  saves: [],
}

/** Pure. */
export function updateTerms({ update, data }: Pick<AppManifest, 'update' | 'data'>): UpdateTerms {
  return {
    canGoBack: update.rollback === 'image',
    healthyForMs: durationMs(update.healthyFor),
    probationMs: durationMs(update.probation),
    saves: Object.keys(data)
      .filter(name => data[name]?.snapshot)
      .sort(),
  }
}
