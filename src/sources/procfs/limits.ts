/** A row of `/proc/PID/limits`; `Infinity` for unlimited. */
export interface ProcessLimit {
  readonly soft: number;
  readonly hard: number;
}

/** Parses one row of `/proc/PID/limits` by its name (`Max open files`); undefined where there is none. */
export function parseLimit(text: string, name: string): ProcessLimit | undefined {
  const start = `\n${text}`.indexOf(`\n${name} `);
  if (start === -1) return undefined;
  const end = text.indexOf('\n', start);
  const row = text.slice(start + name.length, end === -1 ? text.length : end);
  const [, soft, hard] = /^ +(\d+|unlimited) +(\d+|unlimited) /.exec(row) ?? [];
  const number = (word: string) => (word === 'unlimited' ? Infinity : Number(word));
  return soft && hard ? { soft: number(soft), hard: number(hard) } : undefined;
}
