/** The part of the test server that is used here; the package brings no types. */
declare module '@20minutes/s3rver' {
  import type { RequestListener } from 'node:http'
  export default class S3rver {
    constructor(options: {
      readonly directory: string
      readonly silent: boolean
      readonly vhostBuckets: boolean
      readonly configureBuckets: readonly { readonly name: string }[]
    })
    /** Of Koa, first to last. */
    readonly middleware: ((
      context: { readonly path: string; app: object },
      next: () => Promise<void>,
    ) => Promise<void>)[]
    configureBuckets(): Promise<void>
    callback(): RequestListener
  }
}
