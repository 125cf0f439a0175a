import type { Ground } from '../box-colours.js';
import type { TreeDirection } from '../call-tree.js';
import type { Granularity } from '../frame-keys.js';
import { type BoxRow, findBox, layOutBoxes } from '../lay-out-boxes.js';
import { formatMetric, METRIC_NAMES } from '../report-words.js';
import { openPainter, ROW_HEIGHT } from './box-painter.js';
import { openBoxWords } from './box-words.js';
import { openGraphChoices } from './graph-choices.js';
import { type FoundBox, listenToGraph } from './graph-input.js';
import { openGraphPlace, type Range } from './graph-place.js';
import { showCrumbs, showSelected } from './graph-status.js';
import { byId } from './page-elements.js';
import type { Report, Sums } from './report.js';

const ZOOM_MS = 180;
/** Printed pages have no scroll bar, and no canvas can be endless. */
const TALLEST = 6000;
/** No node: boxes too narrow to be drawn are pointed at. */
const REST = -2;

export interface GraphPanel {
  /** The report's choices have changed. */
  refresh(): void;
  redraw(): void;
  /** What is searched, by key of the granularity that is shown. */
  search(match: ((sums: Sums) => Uint8Array) | undefined): void;
  sums(): Sums;
  show(granularity: Granularity, key: number, direction: TreeDirection): void;
  back(): void;
}

export interface GraphActions {
  readonly ground: () => Ground;
  /** Colours are those of the change, not of the kind. */
  readonly coloursChange: () => boolean;
  readonly showInTable: (granularity: Granularity, key: number) => void;
  /** Other keys are shown: what is searched has to be found anew. */
  readonly keysChanged: () => void;
}

export function openGraphPanel(report: Report, actions: GraphActions): GraphPanel {
  const canvas = byId<HTMLCanvasElement>('canvas');
  const scroller = byId('scroller');
  const tip = byId('tip');
  const painter = openPainter(canvas);
  const words = openBoxWords(report);
  const place = openGraphPlace(report);
  const calm = matchMedia('(prefers-reduced-motion: reduce)');

  let upward = false;
  let shown: Range = place.shown();
  let animation: (Range & { readonly began: number }) | undefined;
  let selected = 0;
  let hovered = -1;
  let match: ((sums: Sums) => Uint8Array) | undefined;
  let matched: Uint8Array | undefined;
  let rows: BoxRow[] = [];
  let pending = 0;
  let printing = false;

  const choices = openGraphChoices({
    look: place.look,
    change: (next) => {
      place.change(next);
      replanted();
      if (next.granularity) actions.keysChanged();
    },
    turn: (up) => {
      upward = up;
      draw(performance.now());
      scroller.scrollTop = up ? scroller.scrollHeight : 0;
      redraw();
    },
  });

  /** The tree is another one. */
  function replanted() {
    painter.forget();
    matched = match?.(place.sums());
    animation = undefined;
    shown = place.shown();
    choices.show(METRIC_NAMES[report.choices().metric]);
    arrived();
  }

  function arrived() {
    selected = place.zoomed();
    hovered = -1;
    tip.hidden = true;
    describe();
    redraw();
  }

  /** From what was shown to what is to be shown. */
  function glide(from: Range) {
    animation = calm.matches ? undefined : { ...from, began: performance.now() };
    if (!animation) shown = place.shown();
    arrived();
  }

  function zoomTo(node: number) {
    place.zoomTo(node);
    glide(shown);
  }

  function back() {
    const [before, from] = [place.look(), shown];
    if (!place.back()) return;
    const now = place.look();
    replanted();
    if (now.granularity !== before.granularity) actions.keysChanged();
    if (now.granularity === before.granularity && now.direction === before.direction && now.focus === before.focus)
      glide(from);
  }

  function reset() {
    const { focus } = place.look();
    place.reset();
    if (focus) replanted();
    else glide(shown);
  }

  function focusOn(granularity: Granularity, key: number, direction: TreeDirection) {
    const before = place.look().granularity;
    place.focusOn(granularity, key, direction);
    replanted();
    if (before !== granularity) actions.keysChanged();
    canvas.focus();
  }

  function describe() {
    const key = place.tree().key(selected);
    const { granularity } = place.look();
    const text = words.line(place.tree(), place.sums(), selected);
    showSelected(
      text,
      key < 0
        ? []
        : [
            ['Only this', () => focusOn(granularity, key, 'callees')],
            ['Its callers', () => focusOn(granularity, key, 'callers')],
            ['In the table', () => actions.showInTable(granularity, key)],
          ],
    );
    showCrumbs(place, zoomTo, reset);
  }

  function redraw() {
    if (pending !== 0) return;
    pending = requestAnimationFrame(draw);
    document.documentElement.dataset['drawing'] = '';
  }

  /** All rows, and at least what is seen. */
  const wholeHeight = () => Math.max(printing ? 0 : scroller.clientHeight, rows.length * ROW_HEIGHT);
  const topOf = (row: number) => (upward ? wholeHeight() - (row + 1) * ROW_HEIGHT : row * ROW_HEIGHT);

  function draw(now: number) {
    pending = 0;
    const width = scroller.clientWidth;
    if (width > 0) drawWide(width, now);
    if (animation) redraw();
    else delete document.documentElement.dataset['drawing'];
  }

  function drawWide(width: number, now: number) {
    if (animation) {
      const done = Math.min(1, Math.max(0, now - animation.began) / ZOOM_MS);
      const eased = 1 - (1 - done) ** 3;
      const { from, to } = place.shown();
      shown = {
        from: animation.from + (from - animation.from) * eased,
        to: animation.to + (to - animation.to) * eased,
      };
      if (done === 1) animation = undefined;
    }
    const tree = place.tree();
    rows = layOutBoxes(tree, { ...shown, width, minWidth: 1 });
    byId('sizer').style.height = `${wholeHeight()}px`;
    const scrolled = printing ? 0 : scroller.scrollTop;
    painter.paint({
      tree,
      keys: place.sums().view.keys,
      rows,
      rootLabel: rootLabel(),
      isDifference: place.sums().base !== undefined,
      coloursChange: actions.coloursChange(),
      ground: actions.ground(),
      matched,
      selected: document.activeElement === canvas || selected !== place.zoomed() ? selected : -1,
      hovered,
      zoomDepth: tree.depth(place.zoomed()),
      width,
      height: printing ? Math.min(TALLEST, wholeHeight()) : scroller.clientHeight,
      top: (row) => topOf(row) - scrolled,
    });
  }

  function rootLabel(): string {
    const { focus } = place.look();
    const { metric } = report.choices();
    const unit = metric.endsWith('Bytes') ? '' : ' objects';
    return `${focus ? `stacks with ${focus.label}` : 'all'}: ${formatMetric(metric, place.tree().value(0))}${unit}`;
  }

  function boxAt(event: MouseEvent): FoundBox | undefined {
    const bounds = canvas.getBoundingClientRect();
    const y = event.clientY - bounds.top + scroller.scrollTop;
    const row = rows[Math.floor((upward ? wholeHeight() - y : y) / ROW_HEIGHT)];
    const box = row ? findBox(row, event.clientX - bounds.left) : -1;
    return row && box >= 0 ? { node: row.node[box]!, rest: row.rest[box]! } : undefined;
  }

  function hover(box: FoundBox | undefined, event: MouseEvent) {
    canvas.style.cursor = box ? 'pointer' : 'default';
    const node = box ? (box.rest > 0 ? REST : box.node) : -1;
    if (box && (tip.hidden || node !== hovered || node === REST)) {
      const tree = place.tree();
      tip.replaceChildren(
        ...(box.rest > 0 ? words.rest(tree, box.node, box.rest) : words.tip(tree, place.sums(), box.node)),
      );
    }
    tip.hidden = !box;
    if (box) placeTip(tip, event);
    if (node === hovered) return;
    hovered = node;
    redraw();
  }

  function select(node: number) {
    selected = node;
    const y = topOf(place.tree().depth(node));
    const { scrollTop, clientHeight } = scroller;
    if (y < scrollTop) scroller.scrollTop = y;
    else if (y + ROW_HEIGHT > scrollTop + clientHeight) scroller.scrollTop = y + ROW_HEIGHT - clientHeight;
    describe();
    redraw();
  }

  /** Moves the selection one box: to the caller, the callee, or along the row. */
  function step(key: string): boolean {
    if (!/^Arrow(Up|Down|Left|Right)$/.test(key)) return false;
    const tree = place.tree();
    const depth = tree.depth(selected);
    const boxes = (at: number) => rows[at]?.node.filter((_, box) => rows[at]?.rest[box] === 0) ?? [];
    let next: number | undefined;
    if (key === (upward ? 'ArrowUp' : 'ArrowDown'))
      next = boxes(depth + 1).find((node) => tree.parent(node) === selected);
    else if (key === 'ArrowUp' || key === 'ArrowDown') next = tree.parent(selected);
    else {
      const row = boxes(depth);
      const at = row.indexOf(selected);
      next = at < 0 ? undefined : row[at + (key === 'ArrowRight' ? 1 : -1)];
    }
    if (next !== undefined && next !== selected) select(next);
    return true;
  }

  listenToGraph(canvas, scroller, {
    boxAt,
    hover,
    step,
    back,
    reset,
    redraw: () => {
      tip.hidden = true;
      redraw();
    },
    zoom(box) {
      if (box.rest > 0) place.zoomIntoRest(box.node, box.rest);
      else place.zoomTo(box.node);
      glide(shown);
    },
    zoomToSelected: () => zoomTo(selected),
    shown: () => shown,
    whole: () => place.tree().value(0),
    moveTo(range) {
      animation = undefined;
      place.moveTo(range);
      shown = range;
      describe();
      redraw();
    },
  });
  new ResizeObserver(redraw).observe(scroller);
  byId('back').addEventListener('click', back);
  byId('reset').addEventListener('click', reset);
  addEventListener('beforeprint', () => {
    printing = true;
    draw(performance.now());
  });
  addEventListener('afterprint', () => {
    printing = false;
    redraw();
  });

  replanted();
  return {
    refresh() {
      place.refresh();
      replanted();
    },
    redraw,
    search(next) {
      match = next;
      matched = match?.(place.sums());
      redraw();
    },
    sums: place.sums,
    show: focusOn,
    back,
  };
}

function placeTip(tip: HTMLElement, event: MouseEvent) {
  const { width, height } = tip.getBoundingClientRect();
  const x = event.clientX + 14 + width > innerWidth ? Math.max(4, event.clientX - width - 10) : event.clientX + 14;
  const y = event.clientY + 18 + height > innerHeight ? Math.max(4, event.clientY - height - 12) : event.clientY + 18;
  tip.style.left = `${x}px`;
  tip.style.top = `${y}px`;
}
