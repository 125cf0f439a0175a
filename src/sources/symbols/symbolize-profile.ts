import { applySymbols } from '../../model/apply-symbols.js';
import { type Frame, frameAt, type HeapProfile } from '../../model/heap-profile.js';
import type { FrameInput } from '../../model/heap-profile-builder.js';
import { markThreadPool } from '../../model/mark-thread-pool.js';
import { symbolizeNative } from './native-frames.js';

export interface SymbolizeOptions {
  /** A folder to put in front of the paths in the profile: a container's root, `/proc/PID/root`. */
  readonly root?: string | undefined;
  /** A perf map to take instead of `/tmp/perf-PID.map`. */
  readonly perfMap?: string | undefined;
  /** Lines of native code, and functions that were inlined: from llvm-symbolizer or addr2line. */
  readonly lines?: boolean | undefined;
  /** False: JavaScript stays as it ran. */
  readonly sourceMaps?: boolean | undefined;
  /** jemkit's own folder: names and lines of native code are kept there by build id. */
  readonly cacheFolder?: string | undefined;
}

/** Numbers from here on are no addresses but frames that V8 named. */
const FIRST_NUMBERED_FRAME = 2 ** 52;

/** Where a frame allocates, and where it called another: whoever called returns behind the call, which may be another function. */
interface FrameUses {
  readonly leaf: Uint8Array;
  readonly caller: Uint8Array;
}

function usesOf({ frames, stacks }: HeapProfile): FrameUses {
  const leaf = new Uint8Array(frames.count);
  const caller = new Uint8Array(frames.count);
  for (let stack = 0; stack < stacks.count; stack++) {
    const from = stacks.offsets[stack]!;
    const to = stacks.offsets[stack + 1]!;
    if (from < to) leaf[stacks.frames[from]!] = 1;
    for (let at = from + 1; at < to; at++) caller[stacks.frames[at]!] = 1;
  }
  return { leaf, caller };
}

function isNativeAddress(frame: Frame): boolean {
  return frame.name === '' && frame.address < FIRST_NUMBERED_FRAME && frame.kind !== 'marker';
}

/** JavaScript whose line is not known, or may come from another file. */
function isScriptFrame({ kind, line, position, functionLine }: Frame): boolean {
  return (kind === 'javascript' || kind === 'node-javascript') && (line > 0 || position >= 0 || functionLine > 0);
}

const UNKNOWN: Frame = {
  name: '',
  file: '',
  line: 0,
  column: 0,
  position: -1,
  functionLine: 0,
  functionColumn: 0,
  module: '',
  kind: 'unknown',
  inlined: false,
  address: Number.NaN,
};

/** What a perf map named is known by its address, which is no frame's number. */
const keyOf = (address: number) => -address;

interface PerfMapFrames {
  readonly byAddress: ReadonlyMap<number, FrameInput>;
  readonly notes: readonly string[];
}

/** Names code that no file has: what runtimes compiled while the program ran. */
async function symbolizeByPerfMap(
  addresses: readonly number[],
  pid: number | undefined,
  options: SymbolizeOptions,
): Promise<PerfMapFrames> {
  const byAddress = new Map<number, FrameInput>();
  if (addresses.length === 0) return { byAddress, notes: [] };
  const { readPerfMap } = await import('./read-perf-map.js');
  const reading = readPerfMap({ pid, root: options.root, path: options.perfMap });
  if (reading.kind === 'refused') return { byAddress, notes: [`${reading.path}: not used, since ${reading.reason}.`] };
  if (reading.kind === 'none') return { byAddress, notes: [] };
  for (const address of addresses) {
    const frame = reading.map.find(address);
    if (frame) byAddress.set(address, frame);
  }
  if (byAddress.size === 0) return { byAddress, notes: [] };
  const note = `${reading.path} named ${byAddress.size} frames; it has no times, and code that was moved may have another's name.`;
  return { byAddress, notes: [note] };
}

/**
 * Names the frames of a profile: functions from the symbols of ELF files and perf maps, lines of JavaScript from the scripts and their
 * source maps. Frames that have a name keep it. What the allocator itself put on top of each stack is dropped. What could not be
 * named, and why, is told in the notes of the capture.
 */
export async function symbolizeProfile(profile: HeapProfile, options: SymbolizeOptions = {}): Promise<HeapProfile> {
  const uses = usesOf(profile);
  const addresses = new Set<number>();
  const native = new Map<number, Frame>();
  const scripts = new Map<number, Frame>();
  for (let frame = 0; frame < profile.frames.count; frame++) {
    const read = frameAt(profile, frame);
    if (isScriptFrame(read)) scripts.set(frame, read);
    if (!isNativeAddress(read)) continue;
    native.set(frame, read);
    if (uses.leaf[frame]) addresses.add(read.address);
    if (uses.caller[frame]) addresses.add(read.address - 1);
  }
  const { root, lines } = options;
  const cache =
    options.cacheFolder === undefined || addresses.size === 0
      ? undefined
      : (await import('./symbol-cache.js')).openSymbolCache(options.cacheFolder);
  const { byAddress, elsewhere, notes } = await symbolizeNative(profile, addresses, { root, lines, cache });
  cache?.save();
  const mapped = await symbolizeByPerfMap(elsewhere, profile.capture.pid, options);
  for (const [address, { file = '', ...named }] of mapped.byAddress)
    if (named.kind === 'javascript' && file !== '') scripts.set(keyOf(address), { ...UNKNOWN, ...named, file });
  // Most dumps of other programs have no JavaScript, and loading what reads source maps takes its time.
  const javascript =
    scripts.size === 0
      ? { byFrame: new Map<number, FrameInput>(), notes: [] }
      : await (await import('./javascript-frames.js')).symbolizeJavascript(scripts, options);
  const resolve =
    (offset: number) =>
    (frame: number): readonly FrameInput[] | undefined => {
      const script = javascript.byFrame.get(frame);
      if (script) return [script];
      const read = native.get(frame);
      if (!read) return undefined;
      const { address } = read;
      const inMap = javascript.byFrame.get(keyOf(address + offset)) ?? mapped.byAddress.get(address + offset);
      const named = inMap ? [inMap] : byAddress.get(address + offset);
      return named?.map((input) => ({ ...input, address }));
    };
  const symbolized = applySymbols(profile, {
    asLeaf: resolve(0),
    asCaller: resolve(-1),
    notes: [...notes, ...mapped.notes, ...javascript.notes],
  });
  return markThreadPool(symbolized);
}
