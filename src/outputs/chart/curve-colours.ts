import type { MemorySeriesName } from '../../model/memory-series.js';

/** A curve's colour on light and on dark ground. */
export interface CurveColour {
  readonly light: string;
  readonly dark: string;
}

// Okabe's and Ito's palette, which eyes of every kind tell apart, some darkened or lightened until they have a contrast of 3 to their ground.
const PALETTE: readonly CurveColour[] = [
  { light: '#0072b2', dark: '#56b4e9' },
  { light: '#d55e00', dark: '#e8743b' },
  { light: '#008a65', dark: '#2bbf95' },
  { light: '#a87900', dark: '#e69f00' },
  { light: '#b3588e', dark: '#d98bb9' },
  { light: '#3d3d3d', dark: '#d0d0d0' },
  { light: '#2a8fbd', dark: '#9ad2f2' },
  { light: '#8a7d00', dark: '#f0e442' },
];

/** The figures that are drawn most, each with a colour of its own; others take the same in turn. */
const FIXED: Readonly<Partial<Record<MemorySeriesName, number>>> = {
  rss: 0,
  active: 1,
  allocated: 2,
  dirty: 3,
  heap: 4,
  external: 5,
  'array-buffers': 6,
};

/** The colour of a figure, given its place in the table of figures. */
export function colourOf(series: MemorySeriesName, place: number): CurveColour {
  return PALETTE[FIXED[series] ?? place % PALETTE.length] as CurveColour;
}

/** How the curves of the first, second, … recording are dashed: drawn and left out, in pixels. Empty is a line without gaps. */
export const DASHES: ReadonlyArray<readonly number[]> = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** The dashes of a recording's curves. */
export function dashesOf(run: number): readonly number[] {
  return DASHES[run % DASHES.length] ?? [];
}
