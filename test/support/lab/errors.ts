/** What can go wrong in the lab. Its codes start with LAB_, so that they never meet one of the program. */
import { NodeError } from '../../../src/core/errors.ts'

export class LabError extends NodeError<
  | 'LAB_MISSING'
  | 'LAB_COMMAND_FAILED'
  | 'LAB_OUTPUT_TOO_LARGE'
  | 'LAB_TIMEOUT'
  | 'LAB_USAGE'
  | 'LAB_NODE_UNKNOWN'
  | 'LAB_NODE_OFF'
  | 'LAB_BOOT_FAILED'
  | 'LAB_NOT_RUNNING'
> {}
