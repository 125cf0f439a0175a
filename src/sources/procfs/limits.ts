/** A row of `/proc/PID/limits`; `Infinity` for unlimited. */
export interface ProcessLimit {
  readonly soft: number;
  readonly hard: number;
}

/** Parses `/proc/PID/limits` into its rows by name (`Max open files`). */
export function parseLimits(text: string): Readonly<Record<string, ProcessLimit>> {
  const limits: Record<string, ProcessLimit> = {};
  const number = (word: string) => (word === 'unlimited' ? Infinity : Number(word));
  for (const line of text.split('\n')) {
    const match = /^(Max [a-z ]+?)\s{2,}(\d+|unlimited)\s+(\d+|unlimited)\b/.exec(line);
    if (match?.[1] && match[2] && match[3]) limits[match[1]] = { soft: number(match[2]), hard: number(match[3]) };
  }
  return limits;
}
