import { readdirSync } from 'node:fs';

/** The pids that /proc shows at this moment, rising. */
export function readProcessIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}
