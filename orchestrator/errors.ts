/** The codes of everything that the orchestrator refuses or could not do. The table in CONTRIBUTING.md lists them. */
import { NodeError } from '../src/core/errors.ts'

/** An app could not be brought into the wanted state; what ran before is unchanged unless the message says otherwise. */
export class OrchestratorError extends NodeError<
  | 'APP_INSTALLED'
  | 'ADOPTION_REFUSED'
  | 'APP_ADOPTED'
  | 'APP_NOT_INSTALLED'
  | 'APP_UNHEALTHY'
  | 'CLOSING'
  | 'CONSENT_NEEDED'
  | 'CONSENT_NOT_ASKED'
  | 'CONTAINER_NAME_TAKEN'
  | 'INSTALL_INTERRUPTED'
  | 'IMAGE_MISMATCH'
  | 'HOOK_FAILED'
  | 'IMAGE_LOAD_FAILED'
  | 'PATH_UNSUITABLE'
  | 'PODMAN_TOO_OLD'
  | 'PORT_TAKEN'
  | 'PORT_REFUSED'
  | 'RECORD_MALFORMED'
  | 'RELEASE_OLDER'
  | 'RELEASE_REJECTED'
  | 'ROLLBACK_IMPOSSIBLE'
  | 'ROTATION_REFUSED'
  | 'ROTATION_UNDONE'
  | 'SETTING_INVALID'
  | 'STOP_FAILED'
  | 'TAKE_OVER_FAILED'
  | 'TAKE_OVER_REFUSED'
  | 'UNIT_VALUE_REFUSED'
  | 'UNITS_REFUSED'
  | 'UPDATE_ROLLED_BACK'
  | 'UPDATE_STEP_MISSING'
  | 'VALUE_MISSING'
> {}

/** systemd, Podman or a program of the host is missing, failed, or did not answer in time. */
export class HostError extends NodeError<
  'HOST_PROGRAM_MISSING' | 'HOST_UNREACHABLE' | 'HOST_COMMAND_FAILED' | 'HOST_COMMAND_TIMEOUT'
> {}
