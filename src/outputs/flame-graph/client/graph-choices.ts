import type { TreeDirection } from '../call-tree.js';
import type { Granularity } from '../frame-keys.js';
import type { Look } from './graph-place.js';
import { byId, fillChoice, fillSelect } from './page-elements.js';

export interface GraphChoices {
  readonly look: () => Look;
  readonly change: (next: Partial<Look>) => void;
  /** True: callers below what they call. */
  readonly turn: (up: boolean) => void;
}

/** The switches above the graph. `show` brings them to what is looked at. */
export function openGraphChoices({ look, change, turn }: GraphChoices): { show(metric: string): void } {
  const showDirection = fillChoice<TreeDirection>(
    'direction',
    [
      ['callees', 'Top-down', 'From the functions where stacks begin to those that allocate'],
      ['callers', 'Bottom-up', 'From the functions that allocate to their callers'],
    ],
    look().direction,
    (direction) => direction !== look().direction && change({ direction, path: [] }),
  );
  const showOrientation = fillChoice<'down' | 'up'>(
    'orientation',
    [
      ['down', 'Icicle ↓', 'The first row at the top'],
      ['up', 'Flames ↑', 'The first row at the bottom'],
    ],
    'down',
    (orientation) => {
      showOrientation(orientation);
      turn(orientation === 'up');
    },
  );
  const granularities = fillSelect<Granularity>(
    'granularity',
    [
      ['function', 'functions'],
      ['line', 'lines'],
      ['file', 'files'],
      ['module', 'modules'],
      ['package', 'packages'],
    ],
    (granularity) => change({ granularity, focus: undefined, path: [] }),
  );
  return {
    show(metric) {
      showDirection(look().direction);
      granularities.value = look().granularity;
      byId('canvas').setAttribute(
        'aria-label',
        `Flame graph of ${metric}. Arrow keys move, Enter zooms, Escape goes back; the tab Table has the same as a table.`,
      );
    },
  };
}
