import type { JemkitErrorOptions } from '../../errors.js';
import { JemkitError } from '../../errors.js';

/** Why a package manager's command failed, as far as its words tell. */
export interface FailureCause {
  readonly kind: 'unverified' | 'no-space' | 'no-such-package' | 'network' | 'no-permission' | 'other';
  readonly hint: string;
}

/** The first match counts: an altered archive is also a 'Failed to fetch', a full disk also a broken archive. */
const CAUSES: ReadonlyArray<readonly [pattern: RegExp, cause: FailureCause]> = [
  [
    /Hash Sum mismatch|unexpected size|could not be authenticated|cannot be authenticated|unauthenticated packages|NO_PUBKEY|BADSIG|BAD signature|UNTRUSTED signature|is not signed|GPG error/i,
    {
      kind: 'unverified',
      hint: 'the archive or the package lists do not match their signatures: a mirror or proxy altered them or is half updated; try again later or use another mirror',
    },
  ],
  [
    /No space left on device|Disk quota exceeded|File too large|enough free space|ENOSPC|EDQUOT|EFBIG/i,
    {
      kind: 'no-space',
      hint: 'free some space, or choose another folder: JEMKIT_CACHE_DIR=/some/other/folder jem install',
    },
  ],
  [
    /Unable to locate package|Can't find a source to download|no installation candidate|Can't select candidate|unable to select packages|No package .* available|No match for argument|target not found|No available formula/i,
    {
      kind: 'no-such-package',
      hint: "the package sources of this system do not offer it (on RHEL it is in EPEL, on Ubuntu in 'universe'); with a library from elsewhere: jem run --library PATH -- command",
    },
  ],
  [
    /Could not resolve|Could not connect|Cannot initiate the connection|Unable to connect|Connection (refused|timed out|failed)|Temporary failure|Network is unreachable|no route to host|temporary error|Failed to fetch|Could not handshake|Curl error|Cannot download/i,
    {
      kind: 'network',
      hint: 'check the network and the proxy (https_proxy, or Acquire::http::Proxy of apt); without a network: jem run --library PATH -- command takes a copy from another machine',
    },
  ],
  [
    /Permission denied|EACCES|EPERM|are you root|superuser|a password is required/i,
    { kind: 'no-permission', hint: 'see the message above for the file' },
  ],
];

/** Reads the cause out of what a command printed. */
export function explainFailure(output: string): FailureCause {
  return (
    CAUSES.find(([pattern]) => pattern.test(output))?.[1] ?? {
      kind: 'other',
      hint: 'jem install --dry-run prints the commands, to run them by hand',
    }
  );
}

/** Lines that say why, the plainest first: apt's `W:` carries the reason of an `update` that still ends with 0. */
const REASON_LINES = [/^(E: |ERROR|error|dpkg-deb: error|tar:|sudo:)/, /^W: /, /./];

/** The lines of a failed command's output that say why: its errors, else its warnings, else its last words. */
export function lastWords(output: string): string {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const said = REASON_LINES.map((pattern) => lines.filter((line) => pattern.test(line))).find(
    (matching) => matching.length > 0,
  );
  if (!said) return 'it said nothing';
  const telling = said.find((line) => explainFailure(line).kind !== 'other');
  return [...new Set(telling ? [telling, ...said.slice(-1)] : said.slice(-2))].join(' / ');
}

/** The error of an installation that did not come to its end. */
export function installFailed(message: string, options: JemkitErrorOptions = {}): JemkitError {
  return new JemkitError('ERR_JEM_INSTALL_FAILED', `${message}; what was there before is unchanged`, options);
}
