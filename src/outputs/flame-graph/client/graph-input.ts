import type { Range } from './graph-place.js';

/** A box as the pointer finds it. */
export interface FoundBox {
  readonly node: number;
  /** How many boxes too narrow to be drawn it stands for; then `node` is their parent. */
  readonly rest: number;
}

/** What pointer and keys do to the graph. */
export interface GraphControls {
  readonly boxAt: (event: MouseEvent) => FoundBox | undefined;
  readonly zoom: (box: FoundBox) => void;
  readonly zoomToSelected: () => void;
  readonly hover: (box: FoundBox | undefined, event: MouseEvent) => void;
  /** False: the key moves nothing. */
  readonly step: (key: string) => boolean;
  readonly back: () => void;
  readonly reset: () => void;
  readonly shown: () => Range;
  readonly whole: () => number;
  readonly moveTo: (range: Range) => void;
  readonly redraw: () => void;
}

/** The part of a whole that Ctrl + wheel (zoom where the pointer is) or Shift + wheel (move) leads to. */
export function wheelRange(
  { from, to }: Range,
  whole: number,
  wheel: { readonly move: number; readonly at: number; readonly isShift: boolean },
): Range {
  const span = to - from;
  const wide = wheel.isShift ? span : Math.min(whole, Math.max(whole * 1e-9, span * 1.0015 ** wheel.move));
  const wanted = wheel.isShift ? from + (span * wheel.move) / 800 : from + (span - wide) * wheel.at;
  const left = Math.min(whole - wide, Math.max(0, wanted));
  return { from: left, to: left + wide };
}

export function listenToGraph(canvas: HTMLCanvasElement, scroller: HTMLElement, controls: GraphControls): void {
  const keys: Readonly<Record<string, () => void>> = {
    Enter: controls.zoomToSelected,
    ' ': controls.zoomToSelected,
    Escape: controls.back,
    Backspace: controls.back,
    Home: controls.reset,
  };
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (!act && !controls.step(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    act?.();
  });
  canvas.addEventListener('focus', controls.redraw);
  canvas.addEventListener('blur', controls.redraw);
  canvas.addEventListener('click', (event) => {
    const box = controls.boxAt(event);
    if (box) controls.zoom(box);
  });
  canvas.addEventListener('pointermove', (event) => controls.hover(controls.boxAt(event), event));
  canvas.addEventListener('pointerleave', (event) => controls.hover(undefined, event));
  scroller.addEventListener('scroll', controls.redraw);
  scroller.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
      event.preventDefault();
      const { left, width } = canvas.getBoundingClientRect();
      const move = event.deltaY || event.deltaX;
      const wheel = { move, at: (event.clientX - left) / width, isShift: event.shiftKey };
      controls.moveTo(wheelRange(controls.shown(), controls.whole(), wheel));
    },
    { passive: false },
  );
}
