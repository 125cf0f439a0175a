/** A place on an axis and what stands there. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** An axis from 0 (or below it) to its end, which is a tick. */
export interface Axis {
  readonly to: number;
  readonly ticks: readonly Tick[];
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Steps in which people count memory: powers of two up to 512 of a unit. */
function byteStep(span: number, count: number): number {
  const raw = span / count;
  return raw <= 1 ? 1 : 2 ** Math.ceil(Math.log2(raw) - 1e-9);
}

/** Ticks of memory from 0, at most `count` steps of a power of two, all in one unit. */
export function byteAxis(largest: number, count: number): Axis {
  const top = Number.isFinite(largest) && largest > 0 ? largest : 1;
  const step = byteStep(top, Math.max(1, count));
  const steps = Math.max(1, Math.ceil(top / step - 1e-9));
  const unit = Math.min(BYTE_UNITS.length - 1, Math.max(0, Math.floor(Math.log2(step * steps) / 10)));
  // 0.5 GiB beside 1 GiB reads well, 0.0625 GiB does not.
  const shown = step / 1024 ** unit < 0.25 && unit > 0 ? unit - 1 : unit;
  const ticks = Array.from({ length: steps + 1 }, (_, index) => {
    const value = (index * step) / 1024 ** shown;
    return { at: index * step, text: `${Number(value.toFixed(2))} ${BYTE_UNITS[shown]}` };
  });
  return { to: steps * step, ticks };
}

const SECOND_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
] as const;

function timeStep(span: number, count: number): number {
  const raw = span / count;
  if (raw < 1) {
    const power = 10 ** Math.floor(Math.log10(raw));
    return ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  }
  const known = SECOND_STEPS.find((step) => step >= raw * 0.999);
  return known ?? Math.ceil(raw / 86_400) * 86_400;
}

const two = (value: number) => String(value).padStart(2, '0');

/** A moment on the axis: `12 s`, `3:05`, `1:30:00`, `2 d 06:00`, by what its step needs. */
export function formatMoment(seconds: number, step: number, span: number): string {
  if (span < 120) {
    const digits = step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step)));
    return `${seconds.toFixed(digits)} s`;
  }
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60) % 60;
  if (span < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor(whole / 3600);
  if (span < 172_800) return step < 60 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${hours}:${two(minutes)}`;
  return step >= 86_400 ? `${days} d` : `${days} d ${two(hours % 24)}:${two(minutes)}`;
}

/** What the numbers of {@link formatMoment} are. */
export function momentUnit(span: number): string {
  if (span < 120) return 'seconds';
  if (span < 3600) return 'minutes:seconds';
  return span < 172_800 ? 'hours:minutes' : 'days';
}

/** Ticks of time from 0; the axis ends where the measurement does. */
export function timeAxis(span: number, count: number): Axis {
  const to = Number.isFinite(span) && span > 0 ? span : 1;
  const step = timeStep(to, Math.max(1, count));
  const steps = Math.floor(to / step + 1e-9);
  const ticks = Array.from({ length: steps + 1 }, (_, index) => ({
    at: index * step,
    text: formatMoment(index * step, step, to),
  }));
  return { to, ticks };
}
