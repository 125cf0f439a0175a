import { FRAME_KINDS } from '../../../model/heap-profile.js';
import { changeFill, type Ground, inkOn, kindFill, OTHER_FILLS, relativeChange, shadeOf } from '../box-colours.js';
import type { CallTree } from '../call-tree.js';
import type { FrameKeys } from '../frame-keys.js';
import type { BoxRow } from '../lay-out-boxes.js';

export const ROW_HEIGHT = 19;
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const PADDING = 4;
const NARROWEST_TEXT = 26;
const LONGEST_LABEL = 300;
const MARKER = FRAME_KINDS.indexOf('marker');

export interface Scene {
  readonly tree: CallTree;
  readonly keys: FrameKeys;
  readonly rows: readonly BoxRow[];
  /** Text of the root's box. */
  readonly rootLabel: string;
  readonly isDifference: boolean;
  /** Boxes have the colour of their change; otherwise that of their kind. */
  readonly coloursChange: boolean;
  readonly ground: Ground;
  /** By key; undefined: nothing is searched. */
  readonly matched: Uint8Array | undefined;
  /** Nodes to outline; -1: none. */
  readonly selected: number;
  readonly hovered: number;
  /** Above the zoomed node: drawn paler. */
  readonly zoomDepth: number;
  readonly width: number;
  readonly height: number;
  /** Where a row begins. */
  readonly top: (row: number) => number;
}

/** Draws scenes into a canvas. What depends on keys is kept until `forget`. */
export function openPainter(canvas: HTMLCanvasElement): { paint(scene: Scene): void; forget(): void } {
  const context = canvas.getContext('2d', { alpha: true }) as CanvasRenderingContext2D;
  const shades = new Map<number, number>();
  const widths = new Map<string, number>();
  const hatches = new Map<Ground, CanvasPattern | null>();

  const measure = (text: string) => {
    let width = widths.get(text);
    if (width === undefined) {
      width = context.measureText(text).width;
      if (widths.size > 20_000) widths.clear();
      widths.set(text, width);
    }
    return width;
  };

  const hatch = (ground: Ground) => {
    let pattern = hatches.get(ground);
    if (pattern === undefined) {
      pattern = makeHatch(context, ground);
      hatches.set(ground, pattern);
    }
    return pattern;
  };

  const cutTo = (label: string, room: number): string => {
    const text = label.length > LONGEST_LABEL ? label.slice(0, LONGEST_LABEL) : label;
    const width = measure(text);
    if (width <= room && text === label) return text;
    let length = Math.min(text.length, Math.floor((text.length * room) / width));
    while (length > 1 && measure(`${text.slice(0, length)}…`) > room) length--;
    // Half of a character beyond the basic plane would be drawn as a box.
    if (/[\ud800-\udbff]/.test(text[length - 1] ?? '')) length--;
    return length > 1 ? `${text.slice(0, length)}…` : '';
  };

  const fillOf = (scene: Scene, node: number, isThin: boolean): string => {
    const { tree, keys, ground, matched, coloursChange } = scene;
    const key = tree.key(node);
    if (key < 0) return OTHER_FILLS[ground].root;
    if (matched && matched[key] === 0) return OTHER_FILLS[ground].faded;
    if (coloursChange) return changeFill(relativeChange(tree.value(node, 1), tree.value(node, 2)), ground);
    let shade = shades.get(key);
    if (shade === undefined) {
      shade = shadeOf(keys.label[key] ?? '');
      shades.set(key, shade);
    }
    // Thin boxes of one kind become one rectangle, which is much quicker to draw.
    return kindFill(keys.kind[key] ?? 0, isThin ? 0 : shade, ground);
  };

  const paintRow = (scene: Scene, at: number, row: BoxRow) => {
    const { tree, keys, ground } = scene;
    const y = scene.top(at);
    let runLeft = 0;
    let runRight = -1;
    let runFill = '';
    const flush = () => {
      if (runRight > runLeft) {
        context.fillStyle = runFill;
        context.fillRect(runLeft, y, runRight - runLeft, ROW_HEIGHT - 1);
      }
      runRight = -1;
    };
    for (let box = 0; box < row.node.length; box++) {
      const left = row.left[box]!;
      const right = row.right[box]!;
      const node = row.node[box]!;
      const isThin = right - left < 3;
      const isRest = row.rest[box]! > 0;
      const fill = isRest ? OTHER_FILLS[ground].rest : fillOf(scene, node, isThin);
      if (isThin) {
        if (fill !== runFill || left - runRight > 0.5) {
          flush();
          runLeft = left;
          runFill = fill;
        }
        runRight = right;
        continue;
      }
      flush();
      const isMarker = !isRest && keys.kind[tree.key(node)] === MARKER;
      context.fillStyle = fill;
      context.fillRect(left, y, right - left - 1, ROW_HEIGHT - 1);
      const pattern = isMarker ? hatch(ground) : null;
      if (pattern) {
        context.fillStyle = pattern;
        context.fillRect(left, y, right - left - 1, ROW_HEIGHT - 1);
      }
      if (right - left < NARROWEST_TEXT || isRest) continue;
      const isFaded = fill === OTHER_FILLS[ground].faded;
      const isPale = isFaded || (isMarker && !scene.coloursChange);
      context.fillStyle = isPale ? (ground === 'dark' ? '#c4c4c4' : '#4d4d4d') : inkOn(fill);
      if (at < scene.zoomDepth) context.globalAlpha = 0.7;
      const label = labelOf(scene, node);
      context.fillText(cutTo(label, right - left - PADDING * 2), left + PADDING, y + ROW_HEIGHT / 2);
      context.globalAlpha = 1;
    }
    flush();
  };

  const outline = (scene: Scene, wanted: number, colour: string, thickness: number) => {
    if (wanted < 0) return;
    const at = scene.tree.depth(wanted);
    const row = scene.rows[at];
    const box = row ? row.node.findIndex((node, index) => node === wanted && row.rest[index] === 0) : -1;
    if (!row || box < 0) return;
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    const left = row.left[box]!;
    const width = Math.max(2, row.right[box]! - left - 1);
    context.strokeRect(
      left + thickness / 2,
      scene.top(at) + thickness / 2,
      width - thickness,
      ROW_HEIGHT - 1 - thickness,
    );
  };

  return {
    forget: () => shades.clear(),
    paint(scene) {
      const ratio = devicePixelRatio || 1;
      const [wide, high] = [Math.round(scene.width * ratio), Math.round(scene.height * ratio)];
      if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide;
        canvas.height = high;
        canvas.style.setProperty('--width', `${scene.width}px`);
        canvas.style.setProperty('--height', `${scene.height}px`);
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, scene.width, scene.height);
      context.font = FONT;
      context.textBaseline = 'middle';
      context.direction = 'ltr';
      for (const [at, row] of scene.rows.entries()) {
        const y = scene.top(at);
        if (y > -ROW_HEIGHT && y < scene.height) paintRow(scene, at, row);
      }
      const ink = scene.ground === 'dark' ? '#ffffff' : '#000000';
      outline(scene, scene.hovered, ink, 1);
      outline(scene, scene.selected, ink, 2);
    },
  };
}

function labelOf({ tree, keys, isDifference, rootLabel }: Scene, node: number): string {
  const key = tree.key(node);
  if (key < 0) return rootLabel;
  const detail = keys.detail[key] ?? '';
  const name = detail === '' ? (keys.label[key] ?? '') : `${keys.label[key]}  ${detail}`;
  if (!isDifference) return name;
  const [now, base] = [tree.value(node, 1), tree.value(node, 2)];
  return base === 0 && now > 0 ? `new: ${name}` : now === 0 && base > 0 ? `gone: ${name}` : name;
}

function makeHatch(context: CanvasRenderingContext2D, ground: Ground): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = 8;
  tile.height = 8;
  const pen = tile.getContext('2d');
  if (!pen) return null;
  pen.strokeStyle = OTHER_FILLS[ground].hatch;
  pen.lineWidth = 1.4;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift - 1, 9);
    pen.lineTo(shift + 9, -1);
    pen.stroke();
  }
  return context.createPattern(tile, 'repeat');
}
