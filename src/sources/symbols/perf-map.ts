import type { FrameKind } from '../../model/heap-profile.js';
import type { FrameInput } from '../../model/heap-profile-builder.js';

/** What `/tmp/perf-PID.map` says of code that was made while the program ran. */
export interface PerfMap {
  /** The function at an address; the last entry wins, since code is moved and its place used again. */
  find(address: number): FrameInput | undefined;
  readonly entries: number;
}

const LINE = /^(?:0x)?([0-9a-f]{1,16}) (?:0x)?([0-9a-f]{1,16}) (.+)$/;

/** Node: what kind of code, `*`, `~` or `^` for how far it is optimized, the function, and where it begins. */
const NODE =
  /^(JS|Function|LazyCompile|Script|Eval|Builtin|BytecodeHandler|Stub|RegExp|Handler|Wasm|wasm)[:-]\s?([*~^+]?)(.*)$/;
const NODE_PLACE = /^(.*?):(\d+)(?::(\d+))?$/;
/** Where the script begins behind the function's name, which may have spaces as the path may. */
const SCRIPT = /(?:^| )(?=\/|file:|node:)| (?=[^ ]*$)/;
const PYTHON = /^py::(.*):(\/.*|<.*>)$/;

function nodeFrame(kind: string, rest: string): FrameInput {
  if (/^wasm$/i.test(kind)) return { name: rest, kind: 'wasm' };
  if (!/^(?:JS|Function|LazyCompile|Script|Eval)$/.test(kind)) return { name: `${kind}:${rest}`, kind: 'v8' };
  const place = NODE_PLACE.exec(rest);
  if (!place) return { name: rest === '' ? '(anonymous)' : rest, kind: 'javascript' };
  const [, told = '', line = '0', column = '0'] = place;
  const script = SCRIPT.exec(told);
  const name = told.slice(0, script?.index ?? 0);
  const file = script ? told.slice(script.index + script[0].length) : '';
  const sort: FrameKind = file.startsWith('node:') ? 'node-javascript' : 'javascript';
  return {
    name: name === '' ? '(anonymous)' : name,
    file,
    functionLine: Number(line) >>> 0,
    functionColumn: Number(column) >>> 0,
    kind: sort,
  };
}

/** What an entry names; its language shows in the form. */
export function parsePerfMapName(text: string): FrameInput {
  const node = NODE.exec(text);
  if (node) return nodeFrame(node[1] ?? '', node[3] ?? '');
  const python = PYTHON.exec(text);
  if (python) return { name: python[1] ?? '', file: python[2] ?? '', kind: 'interpreted' };
  return { name: text, kind: 'interpreted' };
}

/** Parses a perf map. A line that is none, or that is still being written, is passed over. */
export function parsePerfMap(text: string): PerfMap {
  const found: { start: number; end: number; name: string }[] = [];
  let from = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    const match = LINE.exec(text.slice(from, end).trimEnd());
    from = end + 1;
    const start = Number.parseInt(match?.[1] ?? '', 16);
    const bytes = Number.parseInt(match?.[2] ?? '', 16);
    if (match && bytes > 0 && start + bytes < 2 ** 53) found.push({ start, end: start + bytes, name: match[3] ?? '' });
  }
  const order = Float64Array.from(found, (_, index) => index);
  order.sort((one, other) => found[one]!.start - found[other]!.start || one - other);
  /** The furthest end up to each place in the order: where it is before an address, nothing earlier reaches it. */
  const reach = new Float64Array(order.length);
  let furthest = 0;
  for (const [place, index] of order.entries()) {
    furthest = Math.max(furthest, found[index]!.end);
    reach[place] = furthest;
  }
  return {
    entries: found.length,
    find(address) {
      let [low, high] = [0, order.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (found[order[middle]!]!.start <= address) low = middle + 1;
        else high = middle;
      }
      let latest = -1;
      for (let place = low - 1; place >= 0 && reach[place]! > address && low - place < MAX_OVERLAPS; place--) {
        const index = order[place]!;
        if (found[index]!.end > address && index > latest) latest = index;
      }
      return latest < 0 ? undefined : parsePerfMapName(found[latest]!.name);
    },
  };
}

/** Entries that begin before an address and may still hold it, of which there are few in a real map. */
const MAX_OVERLAPS = 10_000;
