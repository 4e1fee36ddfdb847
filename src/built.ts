/** No machine that runs this program can be earlier than this: the year in which it was made. */
export const BUILT_MS = Date.UTC(2026, 0, 1)
