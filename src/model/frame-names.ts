import { type Frame, frameAt, type HeapProfile, type ProfileModule } from './heap-profile.js';

/** Numbers from here on are no addresses but frames that V8 named. */
const FIRST_NUMBERED_FRAME = 2 ** 52;

/** A path or URL as people read it: without `file://`. */
export function readablePath(file: string): string {
  if (!file.startsWith('file://')) return file;
  try {
    return decodeURIComponent(file.slice('file://'.length));
  } catch {
    return file.slice('file://'.length);
  }
}

/** The last part of a path. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function moduleOf(address: number, modules: readonly ProfileModule[]): ProfileModule | undefined {
  return modules.find(({ start, end }) => address >= start && address < end);
}

/**
 * What a frame is called: its function; for code without a symbol `libz.so.1+0x3f20`, which is the same in each run of the same
 * file; the bare address where no file is known.
 */
export function frameName(frame: Frame, modules: readonly ProfileModule[]): string {
  if (frame.name !== '') return frame.name;
  if (frame.kind === 'javascript' || frame.kind === 'node-javascript') return '(anonymous)';
  if (Number.isNaN(frame.address)) return frame.file === '' ? '(unknown)' : lastPart(readablePath(frame.file));
  if (frame.address >= FIRST_NUMBERED_FRAME) return '(JavaScript without a name)';
  const module = moduleOf(frame.address, modules);
  if (module) return `${lastPart(module.path)}+0x${(frame.address - module.start + module.fileOffset).toString(16)}`;
  return `0x${frame.address.toString(16)}`;
}

/** The library of a function without a source file; empty where its name has it. */
export function modulePlace({ name, address, module }: Frame): string {
  return module === '' || (name === '' && !Number.isNaN(address)) ? '' : lastPart(module);
}

/** Where a frame's call is: `server.ts:42`, with all of the path; its module where no source is known; empty where nothing is. */
export function framePlace(frame: Frame): string {
  if (frame.file === '') return modulePlace(frame);
  const file = readablePath(frame.file);
  return frame.line > 0 ? `${file}:${frame.line}` : file;
}

/** The same; of optimized code, where V8 may not tell the line of the call, the line of the function. */
export function callPlace(frame: Frame): string {
  const { file, line, functionLine } = frame;
  const begin = file !== '' && line === 0 && functionLine > 0 ? `:${functionLine} (where it begins)` : '';
  return `${framePlace(frame)}${begin}`;
}

/** The package of code that is in none. */
export const APPLICATION = '(application)';

/**
 * The npm package that a frame belongs to: what follows the last `node_modules/` of its file or module, so that nested packages and
 * pnpm's `.pnpm/name@1.0.0/node_modules/name` count as themselves. `node` is Node's own, JavaScript and C++, wherever its program lies; other
 * JavaScript is `(application)`, other native code its library.
 */
export function packageOf(frame: Frame): string {
  if (frame.kind === 'node' || frame.kind === 'v8' || /(^|\/)node$/.test(frame.module)) return 'node';
  for (const path of [frame.file, frame.module]) {
    const at = path.lastIndexOf('node_modules/');
    if (at < 0) continue;
    const [, name] = /^((?:@[^/]+\/)?[^/]+)(?:\/|$)/.exec(path.slice(at + 'node_modules/'.length)) ?? [];
    if (name !== undefined && !name.startsWith('.')) return name;
  }
  if (frame.file.startsWith('node:')) return 'node';
  switch (frame.kind) {
    case 'node-javascript':
      return 'node';
    case 'javascript':
    case 'interpreted':
    case 'wasm':
      return APPLICATION;
    case 'marker':
      return frame.name;
    default:
      return frame.module === '' ? '(unknown)' : lastPart(frame.module);
  }
}

/** Names of all frames of a profile by number, each made once. */
export function frameNamesOf(profile: HeapProfile): string[] {
  return Array.from({ length: profile.frames.count }, (_, frame) =>
    frameName(frameAt(profile, frame), profile.modules),
  );
}
