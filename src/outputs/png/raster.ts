import { GLYPH, glyphRows, spellInGlyphs } from './glyphs.js';

/** A colour as 0xrrggbb. */
export type Colour = number;

/** A picture being drawn, three bytes a point, from the top left. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly points: Uint8Array;
  /** Fills a rectangle. */
  fill(left: number, top: number, width: number, height: number, colour: Colour): void;
  /** Draws lines from point to point with soft edges, in stretches. `dashes` are lengths drawn and left out in turn; empty is none. */
  lines(
    stretches: ReadonlyArray<ReadonlyArray<readonly [x: number, y: number]>>,
    pen: {
      readonly width: number;
      readonly colour: Colour;
      readonly dashes?: readonly number[];
      readonly opacity?: number;
    },
  ): void;
  /** Writes a text; its line is at `y`. */
  text(
    x: number,
    y: number,
    text: string,
    pen: { readonly scale: number; readonly colour: Colour; readonly align?: 'left' | 'middle' | 'right' },
  ): void;
}

/** The width of a text in points. */
export function textPoints(text: string, scale: number): number {
  return spellInGlyphs(text).length * GLYPH.advance * scale;
}

type Segment = readonly [fromX: number, fromY: number, toX: number, toY: number];

/** The parts of a line that dashes draw. */
function* dashed(points: ReadonlyArray<readonly [number, number]>, dashes: readonly number[]): Generator<Segment> {
  let [index, left] = [0, dashes[0] ?? Number.POSITIVE_INFINITY];
  for (let at = 1; at < points.length; at++) {
    let [x, y] = points[at - 1] as readonly [number, number];
    const [toX, toY] = points[at] as readonly [number, number];
    for (let rest = Math.hypot(toX - x, toY - y); rest > 0; ) {
      const step = Math.min(rest, left);
      const [nextX, nextY] = [x + ((toX - x) * step) / rest, y + ((toY - y) * step) / rest];
      if (index % 2 === 0) yield [x, y, nextX, nextY];
      [x, y, rest, left] = [nextX, nextY, rest - step, left - step];
      if (left <= 0) left = dashes[++index % dashes.length] ?? Number.POSITIVE_INFINITY;
    }
  }
}

/** Opens a picture of one colour. */
export function openRaster(width: number, height: number, ground: Colour): Raster {
  const points = new Uint8Array(width * height * 3);
  const channels = (colour: Colour) => [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255] as const;
  const blend = (at: number, [red, green, blue]: readonly [number, number, number], share: number) => {
    const mix = (index: number, wanted: number) => {
      const before = points[index] as number;
      points[index] = Math.round(before + (wanted - before) * share);
    };
    mix(at * 3, red);
    mix(at * 3 + 1, green);
    mix(at * 3 + 2, blue);
  };
  const fill = (left: number, top: number, across: number, down: number, colour: Colour) => {
    const [red, green, blue] = channels(colour);
    const right = Math.min(width, Math.round(left + across));
    const bottom = Math.min(height, Math.round(top + down));
    for (let y = Math.max(0, Math.round(top)); y < bottom; y++) {
      for (let x = Math.max(0, Math.round(left)); x < right; x++) points.set([red, green, blue], (y * width + x) * 3);
    }
  };
  fill(0, 0, width, height, ground);

  /** How much of each point of an area is covered: where two segments meet, it is not painted twice. */
  const openMask = (stretches: ReadonlyArray<ReadonlyArray<readonly [number, number]>>, reach: number) => {
    let [left, top, right, bottom] = [width, height, -1, -1];
    for (const [x, y] of stretches.flat()) {
      left = Math.max(0, Math.min(left, Math.floor(x - reach)));
      top = Math.max(0, Math.min(top, Math.floor(y - reach)));
      right = Math.min(width - 1, Math.max(right, Math.ceil(x + reach)));
      bottom = Math.min(height - 1, Math.max(bottom, Math.ceil(y + reach)));
    }
    const across = Math.max(0, right - left + 1);
    return { left, top, right, bottom, across, shares: new Float32Array(across * Math.max(0, bottom - top + 1)) };
  };

  const cover = (mask: ReturnType<typeof openMask>, [x1, y1, x2, y2]: Segment, radius: number) => {
    const reach = radius + 1;
    const [dx, dy] = [x2 - x1, y2 - y1];
    const square = dx * dx + dy * dy;
    const bottom = Math.min(mask.bottom, Math.ceil(Math.max(y1, y2) + reach));
    const right = Math.min(mask.right, Math.ceil(Math.max(x1, x2) + reach));
    for (let y = Math.max(mask.top, Math.floor(Math.min(y1, y2) - reach)); y <= bottom; y++) {
      for (let x = Math.max(mask.left, Math.floor(Math.min(x1, x2) - reach)); x <= right; x++) {
        const share = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / square));
        const covered = Math.min(1, radius + 0.5 - Math.hypot(x - (x1 + share * dx), y - (y1 + share * dy)));
        const at = (y - mask.top) * mask.across + (x - mask.left);
        if (covered > (mask.shares[at] as number)) mask.shares[at] = covered;
      }
    }
  };

  return {
    width,
    height,
    points,
    fill,
    lines(stretches, { width: penWidth, colour, dashes = [], opacity = 1 }) {
      const mask = openMask(stretches, penWidth + 2);
      for (const stretch of stretches) {
        const [only] = stretch;
        if (stretch.length === 1 && only) cover(mask, [...only, ...only], penWidth);
        for (const segment of dashed(stretch, dashes)) cover(mask, segment, penWidth / 2);
      }
      const wanted = channels(colour);
      for (let at = 0; at < mask.shares.length; at++) {
        const covered = mask.shares[at] as number;
        if (covered <= 0) continue;
        const y = mask.top + Math.floor(at / mask.across);
        blend(y * width + mask.left + (at % mask.across), wanted, covered * opacity);
      }
    },
    text(x, y, text, { scale, colour, align = 'left' }) {
      const spelled = spellInGlyphs(text);
      const across = textPoints(text, scale);
      let left = Math.round(align === 'left' ? x : align === 'right' ? x - across + scale : x - across / 2);
      const top = Math.round(y) - GLYPH.baseline * scale;
      for (const character of spelled) {
        for (const [row, bits] of glyphRows(character).entries()) {
          for (let column = 0; column < GLYPH.columns; column++) {
            if ((bits >> (GLYPH.columns - 1 - column)) & 1)
              fill(left + column * scale, top + row * scale, scale, scale, colour);
          }
        }
        left += GLYPH.advance * scale;
      }
    },
  };
}
