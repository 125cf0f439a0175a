import type { HeapProfile } from '../../model/heap-profile.js';

/** Takes a file in pieces, so that one of many gigabytes needs no more memory than its content. */
export interface ProfileParser {
  push(piece: Uint8Array): void;
  end(): HeapProfile;
}

/** @throws JemkitError ERR_JEM_PROFILE */
export function parseAtOnce(open: () => ProfileParser, bytes: Uint8Array): HeapProfile {
  const parser = open();
  parser.push(bytes);
  return parser.end();
}
