const BLOCKS = [...'▁▂▃▄▅▆▇█'];
const ASCII = [...'_.-=+*#@'];

/** A range of less than this share of the largest value is drawn flat: noise would look like a mountain. */
const LEAST_RANGE = 0.02;

/** Beyond this differences are lost in a double. */
const canBeDrawn = (value: number) => Math.abs(value) <= Number.MAX_SAFE_INTEGER;

/**
 * A row of characters for the last `width` values: the lowest of them at the bottom, the highest at the top. Padded at the left.
 */
export function renderSparkline(values: readonly number[], width: number, unicode: boolean): string {
  const steps = unicode ? BLOCKS : ASCII;
  const shown = width > 0 ? values.filter(canBeDrawn).slice(-width) : [];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const range = Math.max(high - low, Math.abs(high) * LEAST_RANGE);
  const text = shown.map((value) => {
    const step = range === 0 ? 0 : Math.round(((value - low) / range) * (steps.length - 1));
    return steps[step] ?? '?';
  });
  return ' '.repeat(width - shown.length) + text.join('');
}
