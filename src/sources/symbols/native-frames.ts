import type { HeapProfile, ProfileModule } from '../../model/heap-profile.js';
import type { FrameInput } from '../../model/heap-profile-builder.js';
import { demangle } from './demangle.js';
import { holdsV8, nativeKind } from './frame-kind.js';
import { isFileModule, openModuleIndex } from './module-index.js';
import { describeModules, type ModuleFinding } from './module-notes.js';
import type { NativeLine, NativeLines } from './native-lines.js';
import { type ModuleSymbols, readModuleSymbols } from './read-module.js';
import type { SymbolCache } from './symbol-cache.js';

export interface NativeOptions {
  readonly root?: string | undefined;
  readonly lines?: boolean | undefined;
  readonly cache?: SymbolCache | undefined;
}

/** What stands at addresses of files, innermost first. */
export interface NativeFrames {
  readonly byAddress: ReadonlyMap<number, readonly FrameInput[]>;
  /** Addresses that no file has. */
  readonly elsewhere: readonly number[];
  readonly notes: readonly string[];
}

interface ModuleGroup {
  readonly module: ProfileModule;
  /** Of the process, and their places in the file. */
  readonly addresses: number[];
  readonly offsets: number[];
  firstCodeOffset: number;
}

/** Two mappings with the same path are one file; with two ids they were two. */
const keyOf = ({ path, buildId }: ProfileModule) => `${path}\0${buildId ?? ''}`;

function groupByModule(addresses: Iterable<number>, modules: readonly ProfileModule[]) {
  const find = openModuleIndex(modules);
  const groups = new Map<string, ModuleGroup>();
  const elsewhere: number[] = [];
  for (const address of addresses) {
    const module = find(address);
    if (!module || !isFileModule(module)) {
      elsewhere.push(address);
      continue;
    }
    const key = keyOf(module);
    let group = groups.get(key);
    if (!group) {
      group = { module, addresses: [], offsets: [], firstCodeOffset: module.fileOffset };
      groups.set(key, group);
    }
    group.addresses.push(address);
    group.offsets.push(address - module.start + module.fileOffset);
  }
  for (const module of modules) {
    const group = groups.get(keyOf(module));
    if (group) group.firstCodeOffset = Math.min(group.firstCodeOffset, module.fileOffset);
  }
  return { groups: [...groups.values()], elsewhere };
}

/** A frame for the function itself, and before it one for each that was inlined there. */
function framesAt(
  module: string,
  symbol: string | undefined,
  lines: readonly NativeLine[],
  withV8: boolean,
): FrameInput[] {
  const own = symbol === undefined ? '' : symbol;
  if (lines.length === 0) return [{ name: own, module, kind: nativeKind({ name: own, module, holdsV8: withV8 }) }];
  return lines.map(({ name, file, line, column }, depth) => {
    const outermost = depth === lines.length - 1;
    const shown = outermost && own !== '' ? own : demangle(name);
    const kind = nativeKind({ name: shown, module, holdsV8: withV8 });
    return { name: shown, module, file, line, column, kind, inlined: !outermost };
  });
}

const NO_LINES = { kind: 'lines', lines: [], thorough: true } as const;

/** Lines of a file's code; the tool that reads them is asked only for what is not known yet. */
async function readLines({ addresses, debugPath, known }: ModuleSymbols): Promise<NativeLines> {
  const unknown = addresses.filter((address) => !Number.isNaN(address) && !known?.lines.has(address));
  const { readNativeLines } = await import('./native-lines.js');
  const reading = await readNativeLines(debugPath, unknown);
  if (reading.kind === 'unavailable') return reading;
  const found = new Map(known?.lines);
  for (const [row, lines] of reading.lines.entries()) {
    found.set(unknown[row]!, lines);
    if (lines.length > 0 || reading.thorough) known?.lines.set(unknown[row]!, lines);
  }
  return { ...reading, lines: Array.from(addresses, (address) => found.get(address) ?? []) };
}

/** Names the functions at addresses of a process, by the files that were mapped into it. */
export async function symbolizeNative(
  profile: Pick<HeapProfile, 'modules' | 'capture'>,
  addresses: Iterable<number>,
  options: NativeOptions = {},
): Promise<NativeFrames> {
  const { groups, elsewhere } = groupByModule(addresses, profile.modules);
  const byAddress = new Map<number, readonly FrameInput[]>();
  const findings: ModuleFinding[] = [];
  const notes: string[] = [];
  for (const { module, addresses: asked, offsets, firstCodeOffset } of groups) {
    // A server symbolizes its own profile: it answers others between two files.
    await new Promise(setImmediate);
    const { path, buildId } = module;
    const reading = readModuleSymbols(
      { path, buildId, fileOffsets: Float64Array.from(offsets), firstCodeOffset },
      { root: options.root, takenAtMs: profile.capture.takenAtMs, cache: options.cache },
    );
    const symbols: ModuleSymbols['names'] = reading.kind === 'read' ? reading.names : [];
    const names = offsets.map((_, row) => {
      const name = symbols[row];
      return name === undefined ? undefined : demangle(name);
    });
    const lines = options.lines && reading.kind === 'read' ? await readLines(reading) : NO_LINES;
    if (lines.kind === 'unavailable' && !notes.includes(lines.reason)) notes.push(lines.reason);
    const withV8 = holdsV8(
      path,
      names.filter((name) => name !== undefined),
    );
    const linesOf = (row: number) => (lines.kind === 'lines' ? (lines.lines[row] ?? []) : []);
    for (const [row, address] of asked.entries())
      byAddress.set(address, framesAt(path, names[row], linesOf(row), withV8));
    // Code of the allocator that has no symbol is dropped from the stacks anyhow.
    const allocator = nativeKind({ name: '', module: path, holdsV8: withV8 }) === 'allocator';
    const unnamed = allocator ? 0 : names.filter((name) => name === undefined).length;
    findings.push({ path, reading, frames: asked.length, unnamed });
  }
  return { byAddress, elsewhere, notes: [...describeModules(findings), ...notes] };
}
