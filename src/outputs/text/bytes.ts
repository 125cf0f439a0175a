const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A unit of {@link formatBytes}. */
export type ByteUnit = (typeof UNITS)[number];

/**
 * Bytes for people, in powers of 1024: three significant digits, or all of them before the point. `-` for what was not measured.
 *
 * @param unit keeps figures of one table comparable; without it the largest unit that gives at least 1.
 */
export function formatBytes(bytes: number | undefined, unit?: ByteUnit): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return '-';
  const magnitude = Math.abs(bytes);
  let index = unit ? UNITS.indexOf(unit) : 0;
  // 1023.6 KiB would be shown as 1024 KiB.
  if (!unit) while (index < UNITS.length - 1 && magnitude / 1024 ** index >= 1023.5) index++;
  const value = bytes / 1024 ** index;
  const digits = index === 0 || Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[index]}`;
}
