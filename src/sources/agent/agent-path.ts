/** Where sockets are looked for that the process's environment does not name a folder for. */
const DEFAULT_DIRECTORY = '/tmp';

/** The names of a process's sockets in its folder. The addon's answers more. */
export const socketNames = (ownPid: number) =>
  [
    [`${ownPid}.node.sock`, 'addon'],
    [`${ownPid}.sock`, 'preloaded'],
  ] as const;

/**
 * The folders above `jemkit-<uid>` that come into question. A program that writes a title over its environment takes the folder's name
 * away with it: then ours may be the same.
 */
export function agentDirectories(
  theirs: ReadonlyMap<string, string> | undefined,
  ours: Readonly<Record<string, string | undefined>>,
): string[] {
  const absolute = (path: string | undefined) => (path?.startsWith('/') ? path.replace(/\/+$/, '') || '/' : undefined);
  const named = absolute(theirs?.get('JEMKIT_AGENT_DIR'));
  return named === undefined
    ? [...new Set([absolute(ours['JEMKIT_AGENT_DIR']) ?? DEFAULT_DIRECTORY, DEFAULT_DIRECTORY])]
    : [named];
}

/** The ranges of `/proc/PID/uid_map`: a user as a process sees it, for a user as we do. A user that is not in them stays as it is. */
export function userAsSeen(map: string, uid: number): number {
  for (const line of map.split('\n')) {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    if (inside === undefined || outside === undefined || !(Number(count) > 0)) continue;
    if (uid >= outside && uid < outside + Number(count)) return inside + uid - outside;
  }
  return uid;
}
