/** As in SI and Kubernetes: `k`, `M`, `G` are powers of 1000, and with an `i` of 1024. A `B` behind them changes nothing. */
const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
  pi: 2 ** 50,
};

/** The forms that {@link parseByteSize} takes, for messages. */
export const BYTE_SIZE_FORMS = '500MB, 1.5GiB, 512Ki or a plain number of bytes';

/**
 * Parses a size: `500MB` and `500M` are 500,000,000 bytes, `500MiB` and `500Mi` are 524,288,000. Undefined for any other text, for a
 * negative number, and for more than a number holds exactly.
 *
 * @returns whole bytes; a fraction of a byte is rounded.
 */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+) ?([kmgtp]?i?)b?$/i.exec(text.trim());
  const factor = FACTORS[match?.[2]?.toLowerCase() ?? '?'];
  if (!match || factor === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
