import type { WatchEvent } from '../control/watch/watch-process.js';
import { formatDuration } from '../model/duration.js';
import { MEMORY_SERIES } from '../model/memory-series.js';
import { formatBytes } from '../outputs/text/bytes.js';
import { printable } from '../outputs/text/table.js';
import type { WatchLimit, WatchOptions } from './watch-options.js';

/** `500MB (477 MiB)`: the limit as it was typed, and in the unit of the figures beside it where that is another. */
export function limitWords({ text, bytes, growth }: WatchLimit): string {
  const words = `${formatBytes(bytes)}${growth ? '/h' : ''}`;
  return /iB(\/h)?$/.test(text) ? words : `${text} (${words})`;
}

const tookWords = (ms: number) => (ms < 10 ? `${ms.toFixed(1)} ms` : formatDuration(ms));

/** What a person is told of an event; undefined for what only a script wants to know. */
export function eventLine(event: WatchEvent, { of, limit }: Pick<WatchOptions, 'of' | 'limit'>): string | undefined {
  const { label } = MEMORY_SERIES[of];
  const per = limit.growth ? '/h' : '';
  const figure = limit.growth ? `growth of ${label}` : label;
  switch (event.kind) {
    case 'over':
      return `${figure} is ${formatBytes(event.bytes)}${per}, over the limit of ${limitWords(limit)}`;
    case 'under':
      return `${figure} is ${formatBytes(event.bytes)}${per} again`;
    case 'action': {
      if (event.action === 'say') return undefined;
      const change = `${label} ${formatBytes(event.beforeBytes)} → ${formatBytes(event.afterBytes)}`;
      const word = event.done ? event.action : `${event.action} failed`;
      return `${word} (${printable(event.detail)}) in ${tookWords(event.tookMs)}: ${change}`;
    }
    case 'agent-lost':
      return 'nobody inside the process answers any more; the watch goes on, and looks for an agent';
    case 'end':
      return {
        'target-ended': 'the process ended',
        duration: 'the time is over',
        stopped: 'stopped',
        times: `ended after ${event.actions} ${event.actions === 1 ? 'action' : 'actions'}`,
      }[event.reason];
    default:
      return undefined;
  }
}
