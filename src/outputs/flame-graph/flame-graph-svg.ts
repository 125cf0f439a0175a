import { FRAME_KINDS, type HeapProfile } from '../../model/heap-profile.js';
import { escapeMarkup, pixels } from '../svg/markup.js';
import { formatBytes } from '../text/bytes.js';
import { cutText } from '../text/table.js';
import {
  changeFill,
  type Ground,
  inkOn,
  kindFill,
  OTHER_FILLS,
  relativeChange,
  SHADES,
  shadeOf,
} from './box-colours.js';
import { growCallTree } from './call-tree.js';
import { sumRows, viewStacks } from './call-view.js';
import type { FlameGraphOptions } from './flame-graph-html.js';
import { makeFrameKeys } from './frame-keys.js';
import { type BoxRow, layOutBoxes } from './lay-out-boxes.js';
import { packProfile } from './pack-profile.js';
import { KIND_NAMES } from './packed-profile.js';
import { formatChange, formatCount, formatMetric, formatMoment, formatShare, METRIC_NAMES } from './report-words.js';
import { shownText } from './shown-text.js';

const WIDTH = 1200;
const MARGIN = 12;
const ROW_HEIGHT = 18;
const HEAD = 84;
/** Boxes narrower than this, in pixels, are put together. */
const MIN_WIDTH = 0.5;
const NARROWEST_TEXT = 24;
const LONGEST_TIP = 500;

/** How wide a character of the text in boxes is at most in common fonts; nobody can measure it here. */
function characterWidth(character: string): number {
  if (/[ijl.,:;'|!()[\]/ ftr-]/.test(character)) return 4.8;
  if (/[A-Z_+=<>~#$0-9]/.test(character)) return 7.7;
  if (/[mwMW@%…]/.test(character)) return 10.8;
  return character > '\u02ff' ? 11 : 6.9;
}

function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** A text cut to some pixels; empty where nothing of use is left. */
function fitText(text: string, room: number): string {
  if (textWidth(text) <= room) return text;
  let width = characterWidth('…');
  let kept = '';
  for (const character of text) {
    width += characterWidth(character);
    if (width > room) break;
    kept += character;
  }
  return kept.length < 2 ? '' : `${kept}…`;
}

const shown = (text: string) => escapeMarkup(shownText(text));

/** The steps in which a difference's colours are classes: from -12, gone, to 12, new. */
const STEPS = 12;

function kindClasses(kinds: ReadonlySet<number>, ground: Ground): string {
  const rules = [...kinds].flatMap((kind) =>
    Array.from({ length: SHADES }, (_, shade) => {
      const fill = kindFill(kind, shade, ground);
      return `.k${kind}s${shade}{fill:${fill}}`;
    }),
  );
  return rules.join('');
}

function changeClasses(ground: Ground): string {
  return Array.from({ length: STEPS * 2 + 1 }, (_, at) => `.d${at}{fill:${changeFill(at / STEPS - 1, ground)}}`).join(
    '',
  );
}

function styles(fills: (ground: Ground) => string): string {
  const rules = (ground: Ground) => {
    const { rest, root, hatch } = OTHER_FILLS[ground];
    return `${fills(ground)}.rest{fill:${rest}}.root{fill:${root}}.hatch{stroke:${hatch}}`;
  };
  return [
    ':root{color-scheme:light dark}',
    'svg{--ink:#1c1c1c;--soft:#5a5a5a;--ground:#fff;font:11px system-ui,-apple-system,"Segoe UI",sans-serif}',
    '.ground{fill:var(--ground)}text{fill:var(--ink)}.soft{fill:var(--soft)}.title{font-size:16px;font-weight:600}',
    `.box text{fill:${inkOn('#ffffff')};pointer-events:none}.box .own{fill:var(--ink)}.hatch{stroke-width:1.4}`,
    rules('light'),
    `@media (prefers-color-scheme:dark){svg{--ink:#ececec;--soft:#a8a8a8;--ground:#161616}${rules('dark')}}`,
  ].join('');
}

/** Renders a profile as one static picture: the roots of the stacks at the top, each box with a tooltip. Light and dark as the reader's. */
export function renderFlameGraphSvg(profile: HeapProfile, options: FlameGraphOptions): string {
  const packed = packProfile(profile, options.base);
  const wanted = options.metric ?? 'liveBytes';
  const metric = packed.now.columns[wanted] ? wanted : 'liveBytes';
  const view = viewStacks(packed.forest, makeFrameKeys(packed.strings, packed.frames, 'function'));
  const now = sumRows(view, packed.now, metric);
  const base = packed.base && sumRows(view, packed.base, metric);
  const tree = growCallTree(view, base ? [now, now, base] : [now], { direction: 'callees' });
  const total = tree.value(0);
  const rows = layOutBoxes(tree, { from: 0, to: total, width: WIDTH - MARGIN * 2, minWidth: MIN_WIDTH });
  const { keys } = view;
  const kinds = new Set(keys.kind);
  const marker = FRAME_KINDS.indexOf('marker');

  const classOf = (node: number): string => {
    const key = tree.key(node);
    if (key < 0) return 'root';
    if (base) return `d${Math.round((relativeChange(tree.value(node, 1), tree.value(node, 2)) + 1) * STEPS)}`;
    return `k${keys.kind[key]}s${shadeOf(keys.label[key] ?? '')}`;
  };
  const tipOf = (node: number): string => {
    const key = tree.key(node);
    const value = `${formatMetric(metric, tree.value(node))} ${METRIC_NAMES[metric]}, ${formatShare(tree.value(node), total)}`;
    const change = base ? `, ${formatChange(metric, tree.value(node, 1) - tree.value(node, 2))}` : '';
    if (key < 0) return `all: ${value}${change}`;
    const kind = KIND_NAMES[FRAME_KINDS[keys.kind[key] ?? 0] ?? 'unknown'];
    const where = [keys.where[key], kind].filter(Boolean).join(', ');
    return `${cutText(keys.label[key] ?? '', LONGEST_TIP)} (${where}): ${value}${change}`;
  };
  const drawRow = (row: BoxRow, at: number): string => {
    const y = HEAD + at * ROW_HEIGHT;
    const boxes = row.node.map((node, box) => {
      const left = MARGIN + row.left[box]!;
      const width = row.right[box]! - row.left[box]!;
      // A line between neighbours, where there is room for one.
      const drawn = width > 2 ? width - 0.6 : width;
      const place = `x="${hundredths(left)}" y="${y}" width="${hundredths(drawn)}" height="${ROW_HEIGHT - 1}"`;
      const rest = row.rest[box]!;
      if (rest > 0) return `<g class="box"><title>${formatCount(rest)} more</title><rect class="rest" ${place}/></g>`;
      const key = tree.key(node);
      const label =
        key < 0 ? `all: ${formatMetric(metric, total)}` : `${keys.label[key]} \u00a0${keys.detail[key]}`.trim();
      const fitted = width >= NARROWEST_TEXT ? fitText(label, width - 6) : '';
      const isHatched = keys.kind[key] === marker;
      const ownInk = isHatched || key < 0 ? ' class="own"' : '';
      const text =
        fitted !== '' ? `<text${ownInk} x="${pixels(left + 4)}" y="${y + 12.5}">${shown(fitted)}</text>` : '';
      const lines = isHatched ? `<rect fill="url(#hatch)" ${place}/>` : '';
      return `<g class="box"><title>${shown(tipOf(node))}</title><rect class="${classOf(node)}" ${place}/>${lines}${text}</g>`;
    });
    return boxes.join('');
  };

  const height = HEAD + Math.max(1, rows.length) * ROW_HEIGHT + MARGIN;
  const { capture } = profile;
  const facts = [
    capture.program,
    capture.pid === undefined ? undefined : `pid ${capture.pid}`,
    capture.takenAtMs === undefined ? undefined : formatMoment(capture.takenAtMs),
    capture.sampleBytes === undefined ? undefined : `a sample every ${formatBytes(capture.sampleBytes)}`,
  ].filter((fact) => fact !== undefined);
  const held = `${formatMetric(metric, total)} ${METRIC_NAMES[metric]}`;
  const compared = base ? ` (${formatChange(metric, total - base.total[0]!)} against the earlier profile)` : '';
  const empty = total > 0 ? '' : `<text class="soft" x="${MARGIN}" y="${HEAD + 13}">nothing is held</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title text">`,
    `<title id="title">${shown(options.title)}</title><desc id="text">${shown(`${held}${compared}; ${facts.join(', ')}`)}</desc>`,
    `<style>${styles(base ? changeClasses : (ground) => kindClasses(kinds, ground))}</style>`,
    '<defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse"><path class="hatch" d="M-1 9L9-1M-5 5L5-5M3 13L13 3"/></pattern></defs>',
    '<rect class="ground" width="100%" height="100%"/>',
    `<text class="title" x="${MARGIN}" y="26">${shown(cutText(options.title, 120))}</text>`,
    `<text class="soft" x="${MARGIN}" y="44">${shown(cutText([`${held}${compared}`, ...facts].join(' · '), 180))}</text>`,
    base ? changeLegend() : kindLegend(kinds),
    ...rows.map(drawRow),
    empty,
    '</svg>',
    '',
  ].join('\n');
}

/** Narrow boxes side by side would overlap at tenths of a pixel. */
function hundredths(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function kindLegend(kinds: ReadonlySet<number>): string {
  let x = MARGIN;
  const entries = FRAME_KINDS.flatMap((kind, code) => {
    if (!kinds.has(code)) return [];
    const left = x;
    x += 34 + textWidth(KIND_NAMES[kind]) * 0.92;
    const hatch =
      kind === 'marker' ? `<rect fill="url(#hatch)" x="${pixels(left)}" y="56" width="11" height="11"/>` : '';
    return [
      `<rect class="k${code}s0" x="${pixels(left)}" y="56" width="11" height="11" rx="2"/>${hatch}<text class="soft" x="${pixels(left + 16)}" y="65.5">${KIND_NAMES[kind]}</text>`,
    ];
  });
  return entries.join('');
}

function changeLegend(): string {
  const steps = Array.from(
    { length: STEPS * 2 + 1 },
    (_, at) => `<rect class="d${at}" x="${MARGIN + 34 + at * 8}" y="56" width="8" height="11"/>`,
  );
  const right = MARGIN + 34 + (STEPS * 2 + 1) * 8 + 8;
  return `<text class="soft" x="${MARGIN}" y="65.5">gone</text>${steps.join('')}<text class="soft" x="${right}" y="65.5">new</text>`;
}
