import { basename, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeProfile } from '../../control/profiling/profile-file.js';
import { JemkitError } from '../../errors.js';
import type { HeapProfile } from '../../model/heap-profile.js';

/** A profile as it was read, and the bytes it was read from. */
export interface SavedProfile {
  readonly profile: HeapProfile;
  readonly bytes: Uint8Array;
}

const titleOf = ({ capture: { pid, takenAtMs } }: HeapProfile) =>
  `heap of process ${pid ?? process.pid}${takenAtMs === undefined ? '' : `, ${new Date(takenAtMs).toISOString()}`}`;

/** What a file holds, by the end of its name. What makes pictures is loaded when one is made. */
const FORMATS: Readonly<Record<string, (saved: SavedProfile) => Promise<string | Uint8Array>>> = {
  '.heap': async ({ bytes }) => bytes,
  '.pb.gz': async ({ profile }) => {
    const { encodePprof } = await import('../../outputs/pprof/encode-pprof.js');
    return gzipSync(encodePprof(profile));
  },
  '.html': async ({ profile }) => {
    const { renderFlameGraphHtml } = await import('../../outputs/flame-graph/flame-graph-html.js');
    return renderFlameGraphHtml(profile, { title: titleOf(profile) });
  },
  '.svg': async ({ profile }) => {
    const { renderFlameGraphSvg } = await import('../../outputs/flame-graph/flame-graph-svg.js');
    return renderFlameGraphSvg(profile, { title: titleOf(profile) });
  },
};

const endingOf = (path: string) => Object.keys(FORMATS).find((ending) => basename(path).endsWith(ending));

/** @throws JemkitError ERR_JEM_USAGE for a name that does not say which format is wanted. */
export function checkEnding(path: string): void {
  if (endingOf(path) !== undefined && !path.includes('\0')) return;
  const endings = Object.keys(FORMATS).join(', ');
  throw new JemkitError(
    'ERR_JEM_USAGE',
    `a profile cannot be saved as '${path}' (expected a name that ends with ${endings})`,
    {
      hint: '.heap for jem report, .pb.gz for go tool pprof, .html for a browser',
      details: { received: path },
    },
  );
}

/** See `ProfileSnapshot.save`. */
export async function saveProfile(path: string, saved: SavedProfile): Promise<void> {
  checkEnding(path);
  const content = await FORMATS[endingOf(path) ?? '']?.(saved);
  try {
    writeProfile(
      resolve(path),
      typeof content === 'string' ? Buffer.from(content) : (content ?? new Uint8Array()),
      true,
    );
  } catch (error) {
    if (!(error instanceof JemkitError)) throw error;
    throw new JemkitError('ERR_JEM_FILE', error.message, {
      hint: 'name a file in a folder that this user can write, on a disk with free space',
      details: { path },
      cause: error.cause,
    });
  }
}
