/** A point to be drawn, in units of the axes. */
export type Point = readonly [x: number, y: number];

/**
 * Makes stretches to be drawn as lines, cut where nothing was measured. Where more points fall into one column of the picture than can be
 * seen, the first, lowest, highest and last of them stay: no peak is lost.
 *
 * @param columns the picture's width in its finest unit.
 */
export function thinPoints(xs: ArrayLike<number>, ys: ArrayLike<number>, columns: number, end: number): Point[][] {
  const stretches: Point[][] = [];
  let stretch: Point[] = [];
  let bucket: Point[] = [];
  let column = -1;
  const flush = () => {
    stretch.push(...extremesOf(bucket));
    bucket = [];
  };
  for (let at = 0; at < xs.length; at++) {
    const [x, y] = [xs[at] as number, ys[at] as number];
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      flush();
      if (stretch.length > 0) stretches.push(stretch);
      stretch = [];
      column = -1;
      continue;
    }
    const own = Math.floor((x / end) * columns);
    if (own !== column) flush();
    column = own;
    bucket.push([x, y]);
  }
  flush();
  if (stretch.length > 0) stretches.push(stretch);
  return stretches;
}

function extremesOf(bucket: readonly Point[]): Point[] {
  if (bucket.length <= 4) return [...bucket];
  let [low, high] = [0, 0];
  for (let at = 1; at < bucket.length; at++) {
    if ((bucket[at] as Point)[1] < (bucket[low] as Point)[1]) low = at;
    if ((bucket[at] as Point)[1] > (bucket[high] as Point)[1]) high = at;
  }
  return [...new Set([0, low, high, bucket.length - 1])].sort((a, b) => a - b).map((at) => bucket[at] as Point);
}
