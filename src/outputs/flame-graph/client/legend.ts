import { FRAME_KINDS, type FrameKind } from '../../../model/heap-profile.js';
import { changeFill, type Ground, kindFill } from '../box-colours.js';
import { sumByKey } from '../call-totals.js';
import type { KindTreatment } from '../frame-keys.js';
import { KIND_NAMES } from '../packed-profile.js';
import { formatShare } from '../report-words.js';
import { byId, element } from './page-elements.js';
import type { Report } from './report.js';

const NEXT: Readonly<Record<KindTreatment, KindTreatment>> = { show: 'merge', merge: 'hide', hide: 'show' };
const SAID: Readonly<Record<KindTreatment, string>> = { show: 'shown', merge: 'merged', hide: 'hidden' };

const RUNTIME: readonly FrameKind[] = ['node-javascript', 'node', 'v8', 'libc', 'allocator', 'unknown'];
const NOT_JAVASCRIPT: readonly FrameKind[] = [...RUNTIME, 'native', 'wasm', 'interpreted'];

const PRESETS: ReadonlyArray<readonly [string, string, readonly FrameKind[]]> = [
  ['Everything', 'Show all frames', []],
  ['No runtime', 'Hide Node.js, V8, libc: JavaScript stands directly above the add-ons it calls', RUNTIME],
  [
    'JavaScript only',
    'Hide all other frames: what they hold counts for the JavaScript that called them',
    NOT_JAVASCRIPT,
  ],
];

function swatch(fill: string, isMarker = false): HTMLElement {
  const made = element('span', {
    class: isMarker ? 'swatch hatched' : 'swatch',
    attributes: { 'aria-hidden': 'true' },
  });
  made.style.backgroundColor = fill;
  return made;
}

/** The legend, which is also the switches by which kinds are shown, merged or hidden. Draws itself anew on each call. */
export function openLegend(
  report: Report,
  ground: () => Ground,
  coloursChange: () => boolean,
  changed: () => void,
): () => void {
  const legend = byId('legend');
  legend.hidden = false;
  const used = new Set(report.packed.frames.kind);
  const choose = (treatments: readonly KindTreatment[], focus: string) => {
    report.choose({ treatments });
    changed();
    legend.querySelector<HTMLElement>(`[data-name="${focus}"]`)?.focus();
  };

  return () => {
    const { treatments } = report.choices();
    const { view, widths } = report.sumsByKind();
    const { cumulative } = sumByKey(view, widths);
    const total = widths.total[0] ?? 0;
    // Markers have a key each; together they have no sum of their own.
    const held = new Map(view.keys.kind.map((kind, key) => [kind, cumulative[key] ?? 0]));
    const chips = FRAME_KINDS.flatMap((kind, code) => {
      if (!used.has(code)) return [];
      const treatment = treatments[code] ?? 'show';
      const share = formatShare(held.get(code) ?? 0, total);
      const next = NEXT[treatment];
      return [
        element(
          'button',
          {
            class: `chip ${treatment}`,
            title: `${share} of the values are in stacks with ${KIND_NAMES[kind]} frames. These frames are ${SAID[treatment]}; click: ${SAID[next]}.`,
            onClick: () =>
              choose(
                treatments.map((old, at) => (at === code ? next : old)),
                kind,
              ),
            attributes: {
              'data-name': kind,
              'aria-label': `${KIND_NAMES[kind]}: ${SAID[treatment]}, in ${share} of the values. Press for ${SAID[next]}.`,
            },
          },
          coloursChange() ? undefined : swatch(kindFill(code, 0, ground()), kind === 'marker'),
          element('span', { class: 'name' }, KIND_NAMES[kind]),
          element('span', { class: 'soft' }, treatment === 'show' ? share : SAID[treatment]),
        ),
      ];
    });
    const presets = PRESETS.map(([name, title, hidden]) => {
      const wanted = FRAME_KINDS.map((kind): KindTreatment => (hidden.includes(kind) ? 'hide' : 'show'));
      const isOn = wanted.every((treatment, code) => !used.has(code) || treatment === treatments[code]);
      return element(
        'button',
        {
          class: 'preset',
          title,
          onClick: () => choose(wanted, name),
          attributes: { 'data-name': name, 'aria-pressed': String(isOn) },
        },
        name,
      );
    });
    legend.replaceChildren(
      element('div', { class: 'chips' }, ...chips),
      element('div', { class: 'presets' }, ...presets, ...(coloursChange() ? changeScale(ground()) : [])),
    );
  };
}

function changeScale(ground: Ground): HTMLElement[] {
  const steps = [-1, -0.5, 0, 0.5, 1].map((change) => swatch(changeFill(change, ground)));
  return [
    element(
      'span',
      { class: 'scale', title: 'Boxes have the colour of their change, relative to their own size' },
      element('span', {}, 'gone'),
      ...steps,
      element('span', {}, 'new'),
    ),
  ];
}
