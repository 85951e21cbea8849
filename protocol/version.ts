/** The protocol both ends must speak. A peer with another `major` is refused; a lower `minor` is accepted. */
export const PROTOCOL_VERSION = { major: 1, minor: 0 } as const;

export interface ProtocolVersion {
  readonly major: number;
  readonly minor: number;
}

/**
 * Whether this build can talk to a peer of version `theirs`.
 * Minor versions only add optional fields, so only a differing major or a peer newer in minor than us is refused.
 */
export function versionAccepted(theirs: ProtocolVersion): boolean {
  return theirs.major === PROTOCOL_VERSION.major && theirs.minor <= PROTOCOL_VERSION.minor;
}
