import type { CaptureFacts, FrameKind, SizeClassUse } from '../../model/heap-profile.js';
import type { FrameInput, ProfileBuilder } from '../../model/heap-profile-builder.js';
import { parseStatsJson } from '../agent/parse-stats-json.js';
import { profileError } from './profile-error.js';

/** Addresses from here on are numbers of frames that V8 named. */
export const FRAME_BASE = 2 ** 52;

/** jemkit's sections behind a dump (docs/capture-format.md). */
export interface CaptureSections {
  line(text: string, line: number): void;
  readonly found: () => boolean;
  buildIds(): ReadonlyMap<string, string>;
  /** The frame with this number and, where it was inlined, its callers. */
  frames(builder: ProfileBuilder, address: number): readonly number[];
  facts(): Partial<CaptureFacts>;
  /** Whole sentences. */
  notes(): readonly string[];
}

interface NumberedFrame {
  readonly frame: FrameInput;
  readonly inlinedInto: number | undefined;
}

/** Fewer stacks without a bottom than this share do not matter to a reader. */
const LEAST_TRUNCATED = 0.01;

const KINDS: Readonly<Record<string, FrameKind>> = {
  js: 'javascript',
  builtin: 'v8',
  stub: 'v8',
  regexp: 'v8',
  wasm: 'wasm',
  marker: 'marker',
};

/** Deeper inlining than V8's own limits allow is a circle. */
const INLINING_LIMIT = 64;

const FRAME_COLUMNS = 10;

export function openCaptureSections(): CaptureSections {
  let section = '';
  let complete = false;
  const facts = new Map<string, string>();
  const notes: string[] = [];
  const buildIds = new Map<string, string>();
  const frames = new Map<number, NumberedFrame>();
  const statistics: string[] = [];
  let unknownNumbers = 0;

  const take: Readonly<Record<string, (text: string, line: number) => void>> = {
    JEMKIT_CAPTURE: (text) => {
      const tab = text.indexOf('\t');
      const [name, value] = [text.slice(0, tab), unescaped(text.slice(tab + 1))];
      if (name === 'note') notes.push(value);
      else facts.set(name, value);
    },
    JEMKIT_BUILD_IDS: (text) => {
      const [id = '', path = ''] = text.split('\t');
      if (/^[0-9a-f]+$/.test(id)) buildIds.set(unescaped(path), id);
    },
    JEMKIT_FRAMES: (text, line) => {
      const columns = text.split('\t');
      // A file that ends early ends in the middle of a line; what is missing is told by the end that is missing.
      if (columns.length < FRAME_COLUMNS) return;
      const address = Number.parseInt(columns[0]!, 16);
      if (!(address >= FRAME_BASE)) {
        throw profileError('a frame has no number', {
          received: JSON.stringify(text.slice(0, 60)),
          expected: 'an address of 0x10000000000000 or more, and nine columns behind it',
          line,
        });
      }
      frames.set(address, numberedFrame(columns));
    },
    JEMKIT_STATISTICS: (text) => {
      statistics.push(text);
    },
  };

  return {
    line(text, line) {
      if (text.startsWith('JEMKIT_')) {
        const [name = '', version] = text.split(' ');
        if (name === 'JEMKIT_CAPTURE' && version !== '1') throw laterVersion(version, line);
        if (name === 'JEMKIT_END') complete = true;
        section = name;
      } else if (text !== '') {
        take[section]?.(text, line);
      }
    },
    found: () => section !== '',
    buildIds: () => buildIds,
    frames(builder, address) {
      const known = frames.get(address);
      if (known === undefined) {
        unknownNumbers += 1;
        return [builder.frame({ kind: 'unknown' })];
      }
      const chain: number[] = [];
      let next: NumberedFrame | undefined = known;
      while (next !== undefined && chain.length < INLINING_LIMIT) {
        const caller: NumberedFrame | undefined =
          next.inlinedInto === undefined ? undefined : frames.get(next.inlinedInto);
        chain.push(builder.frame(caller === undefined ? next.frame : { ...next.frame, inlined: true }));
        next = caller;
      }
      return chain;
    },
    facts() {
      const count = (name: string) => {
        const text = facts.get(name);
        const value = text === undefined || text === '' ? Number.NaN : Number(text);
        return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
      };
      const unwinder = facts.get('unwinder');
      return {
        pid: count('pid'),
        takenAtMs: count('taken_ms'),
        nodeVersion: facts.get('node') || undefined,
        jemallocVersion: facts.get('jemalloc') || undefined,
        unwinder: unwinder === 'jemkit' || unwinder === 'jemalloc' ? unwinder : undefined,
        ...parseStatistics(statistics.join('\n'), complete, notes),
      };
    },
    notes() {
      const told = [...new Set(notes)];
      const samples = facts.get('samples') ?? '?';
      const truncated = Number(facts.get('truncated') ?? 0);
      if (truncated > LEAST_TRUNCATED * Number(samples)) {
        told.push(`${truncated} of ${samples} samples have a stack without its bottom: the walk ended early.`);
      }
      if (facts.has('node') && Number(samples) > 0 && facts.get('without_javascript') === samples) {
        told.push('No sample met a JavaScript function.');
      }
      if (unknownNumbers > 0)
        told.push(
          unknownNumbers === 1
            ? 'The capture has no name for one of its JavaScript frames.'
            : `The capture has no names for ${unknownNumbers} of its JavaScript frames.`,
        );
      if (section !== '' && !complete) {
        told.push('The capture is incomplete: its end is missing, so names and statistics may be missing too.');
      }
      return told;
    },
  };
}

function numberedFrame(columns: readonly string[]): NumberedFrame {
  const [, kind = '', line, column, position, beginLine, beginColumn, inlinedInto = '-', name = '', script = ''] =
    columns;
  const whole = (text: string | undefined) => Math.min(Math.max(0, Number.parseInt(text ?? '', 10) || 0), 0xffffffff);
  const file = unescaped(script);
  const sort = KINDS[kind] ?? 'unknown';
  const place = Number.parseInt(position ?? '', 10);
  return {
    frame: {
      name: unescaped(name) || (kind === 'js' ? '(anonymous)' : ''),
      file,
      line: whole(line),
      column: whole(column),
      functionLine: whole(beginLine),
      functionColumn: whole(beginColumn),
      position: place >= 0 && place < 2 ** 31 ? place : -1,
      kind: sort === 'javascript' && file.startsWith('node:') ? 'node-javascript' : sort,
    },
    inlinedInto: inlinedInto === '-' ? undefined : Number.parseInt(inlinedInto, 16),
  };
}

function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\([\\tn])/g, (_, letter: string) => ({ t: '\t', n: '\n' })[letter] ?? '\\')
    : text;
}

function laterVersion(version: string | undefined, line: number) {
  return profileError('the capture is of another version of jemkit', {
    received: `JEMKIT_CAPTURE ${version ?? ''}`,
    expected: 'JEMKIT_CAPTURE 1',
    hint: 'npm install jemkit@latest',
    line,
  });
}

function parseStatistics(
  text: string,
  complete: boolean,
  notes: string[],
): Pick<CaptureFacts, 'statistics' | 'sizeClasses'> {
  if (text === '') return { statistics: undefined, sizeClasses: undefined };
  try {
    const { totals, merged, pageBytes } = parseStatsJson(text);
    const pages = (bytes: number | undefined) =>
      bytes === undefined || pageBytes === undefined ? undefined : bytes / pageBytes;
    const named = {
      'stats.allocated': totals?.allocatedBytes,
      'stats.active': totals?.activeBytes,
      'stats.metadata': totals?.metadataBytes,
      'stats.resident': totals?.residentBytes,
      'stats.mapped': totals?.mappedBytes,
      'stats.retained': totals?.retainedBytes,
      'arenas.page': pageBytes,
      'stats.arenas.4096.pactive': pages(merged?.activeBytes),
      'stats.arenas.4096.pdirty': pages(merged?.dirtyBytes),
      'stats.arenas.4096.pmuzzy': pages(merged?.muzzyBytes),
      'stats.arenas.4096.small.allocated': merged?.small.allocatedBytes,
      'stats.arenas.4096.large.allocated': merged?.large.allocatedBytes,
    };
    const sizeClasses: SizeClassUse[] = [];
    for (const { sizeBytes, slabBytes, regionsPerSlab, regions, slabs } of merged?.bins ?? []) {
      if (regions === undefined || slabs === undefined) continue;
      sizeClasses.push({ sizeBytes, slabBytes, regionsPerSlab, regionsInUse: regions, slabs });
    }
    const known = Object.entries(named).filter((entry): entry is [string, number] => entry[1] !== undefined);
    return {
      statistics: known.length === 0 ? undefined : Object.fromEntries(known),
      sizeClasses: sizeClasses.length === 0 ? undefined : sizeClasses,
    };
  } catch (error) {
    if (complete) notes.push(`The capture's statistics are left out: ${(error as Error).message}.`);
    return { statistics: undefined, sizeClasses: undefined };
  }
}
