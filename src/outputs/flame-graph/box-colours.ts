import { FRAME_KINDS, type FrameKind } from '../../model/heap-profile.js';

export type Ground = 'light' | 'dark';

type Rgb = readonly [number, number, number];

// Kinds differ in lightness as well as in hue, in the order of Okabe's and Ito's palette: JavaScript stands out for eyes of every kind. All
// have a contrast of 4.5 and more to dark ink.
const KIND_FILLS: Readonly<Record<FrameKind, Readonly<Record<Ground, string>>>> = {
  unknown: { light: '#dcdcdc', dark: '#939393' },
  javascript: { light: '#f4b63a', dark: '#e0a22b' },
  'node-javascript': { light: '#f8dd9b', dark: '#c4a964' },
  native: { light: '#56b4e9', dark: '#4aa3d6' },
  node: { light: '#7fd0ae', dark: '#5eb392' },
  v8: { light: '#bcc8d8', dark: '#8f9cae' },
  libc: { light: '#d6cfc6', dark: '#a0988d' },
  allocator: { light: '#bfb5a9', dark: '#8f867a' },
  wasm: { light: '#cdb2e8', dark: '#ab8ccb' },
  interpreted: { light: '#f19c78', dark: '#db8660' },
  marker: { light: '#f3f3f3', dark: '#3a3a3a' },
};

const UNCHANGED: Readonly<Record<Ground, string>> = { light: '#e6e6e6', dark: '#8c8c8c' };
const GROWN: Readonly<Record<Ground, string>> = { light: '#e4573d', dark: '#ee6a50' };
const SHRUNK: Readonly<Record<Ground, string>> = { light: '#3d8fdd', dark: '#55a3ec' };

/** Boxes of one kind in slightly different lightness, by name, so that neighbours can be told apart. */
export const SHADES = 4;

function parse(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function mix(from: string, to: string, share: number): string {
  const [a, b] = [parse(from), parse(to)];
  const channels = a.map((channel, at) => Math.round(channel + (b[at]! - channel) * share));
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** A shade from 0 to SHADES - 1, the same for the same name. */
export function shadeOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % SHADES;
}

/** The fill of a box by the code of its kind. */
export function kindFill(kind: number, shade: number, ground: Ground): string {
  const fill = KIND_FILLS[FRAME_KINDS[kind] ?? 'unknown'][ground];
  return mix(fill, ground === 'light' ? '#ffffff' : '#000000', shade * (ground === 'light' ? 0.06 : 0.04));
}

/** How much a value has grown of what it was or is: from -1 (gone) to 1 (new). */
export function relativeChange(now: number, base: number): number {
  const most = Math.max(now, base);
  return most > 0 ? (now - base) / most : 0;
}

const STEPS = 12;

/** The fill of a box in a difference: red has grown, blue has shrunk, the stronger the more of itself. */
export function changeFill(change: number, ground: Ground): string {
  const step = Math.round(Math.abs(change) ** 0.7 * STEPS) / STEPS;
  return mix(UNCHANGED[ground], (change > 0 ? GROWN : SHRUNK)[ground], step);
}

/** The colours of boxes that stand for several, and of what a search has not found. */
export const OTHER_FILLS: Readonly<Record<Ground, Readonly<Record<'rest' | 'faded' | 'root' | 'hatch', string>>>> = {
  light: { rest: '#c9c9c9', faded: '#efefef', root: '#e9e9e9', hatch: '#cfcfcf' },
  dark: { rest: '#5d5d5d', faded: '#2b2b2b', root: '#4b4b4b', hatch: '#5a5a5a' },
};

/** The ink of a text on a fill. */
export function inkOn(fill: string): string {
  const [red, green, blue] = parse(fill);
  return red * 0.299 + green * 0.587 + blue * 0.114 > 96 ? '#151515' : '#f2f2f2';
}
