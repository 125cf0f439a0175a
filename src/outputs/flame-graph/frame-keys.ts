import { lastPart } from '../../model/frame-names.js';
import { FRAME_KINDS } from '../../model/heap-profile.js';
import { KIND_NAMES, type PackedFrames } from './packed-profile.js';

/** What one box or one row stands for. */
export const GRANULARITIES = ['function', 'line', 'file', 'module', 'package'] as const;

export type Granularity = (typeof GRANULARITIES)[number];

/** `merge`: neighbours of the kind become one box; `hide`: their values count for the callers. */
export type KindTreatment = 'show' | 'merge' | 'hide';

/** What frames are put together under: the same function, the same file, … */
export interface FrameKeys {
  readonly count: number;
  /** By frame; -1: hidden. */
  readonly ofFrame: Int32Array;
  readonly label: readonly string[];
  /** Where it is, in short; may be empty. */
  readonly detail: readonly string[];
  /** Where it is, in full; may be empty. */
  readonly where: readonly string[];
  /** Code of FRAME_KINDS. */
  readonly kind: readonly number[];
  /** 1: frames of this key that call one another are one. */
  readonly runs: Uint8Array;
}

interface Key {
  readonly identity: string;
  readonly label: string;
  readonly detail: string;
  readonly where: string;
  readonly runs: boolean;
}

const withLine = (file: string, line: number) => (file !== '' && line > 0 ? `${file}:${line}` : file);

/** Gives every frame its key. `treatments` is by code of FRAME_KINDS; what it leaves out is shown. */
export function makeFrameKeys(
  strings: readonly string[],
  frames: PackedFrames,
  granularity: Granularity,
  treatments: readonly KindTreatment[] = [],
): FrameKeys {
  const numbers = new Map<string, number>();
  const label: string[] = [];
  const detail: string[] = [];
  const where: string[] = [];
  const kinds: number[] = [];
  const runs: number[] = [];
  const ofFrame = new Int32Array(frames.name.length);
  for (let frame = 0; frame < ofFrame.length; frame++) {
    const kind = frames.kind[frame] ?? 0;
    const treatment = treatments[kind] ?? 'show';
    if (treatment === 'hide') {
      ofFrame[frame] = -1;
      continue;
    }
    const key = treatment === 'merge' ? mergedKey(kind) : keyOf(strings, frames, frame, granularity);
    let number = numbers.get(key.identity);
    if (number === undefined) {
      number = label.push(key.label) - 1;
      numbers.set(key.identity, number);
      detail.push(key.detail);
      where.push(key.where);
      kinds.push(kind);
      runs.push(key.runs ? 1 : 0);
    }
    ofFrame[frame] = number;
  }
  return { count: label.length, ofFrame, label, detail, where, kind: kinds, runs: Uint8Array.from(runs) };
}

function mergedKey(kind: number): Key {
  const name = KIND_NAMES[FRAME_KINDS[kind] ?? 'unknown'];
  return { identity: `kind ${kind}`, label: `(${name})`, detail: '', where: 'all frames of this kind', runs: true };
}

function keyOf(strings: readonly string[], frames: PackedFrames, frame: number, granularity: Granularity): Key {
  const text = (column: readonly number[]) => strings[column[frame] ?? 0] ?? '';
  const number = (column: readonly number[]) => column[frame] ?? 0;
  if (FRAME_KINDS[number(frames.kind)] === 'marker')
    return { identity: `marker ${number(frames.name)}`, label: text(frames.name), detail: '', where: '', runs: false };
  const file = text(frames.file);
  const module = text(frames.module);
  if (granularity === 'package') {
    const group = text(frames.group);
    return { identity: `group ${number(frames.group)}`, label: group, detail: '', where: '', runs: true };
  }
  if (granularity === 'module' || (granularity === 'file' && file === '')) {
    // JavaScript belongs to no library: its package says as much.
    const name = lastPart(module) || text(frames.group);
    return { identity: `module ${module || name}`, label: name, detail: '', where: module, runs: true };
  }
  if (granularity === 'file')
    return {
      identity: `file ${number(frames.file)}`,
      label: lastPart(file) || file,
      detail: '',
      where: file,
      runs: true,
    };
  return functionKey(text, number, frames, granularity);
}

function functionKey(
  text: (column: readonly number[]) => string,
  number: (column: readonly number[]) => number,
  frames: PackedFrames,
  granularity: 'function' | 'line',
): Key {
  const name = text(frames.name);
  const file = text(frames.file);
  const module = text(frames.module);
  if (name === '' && module !== '' && granularity === 'function')
    return {
      identity: `bare ${number(frames.module)}`,
      label: `${lastPart(module)} (no symbols)`,
      detail: '',
      where: module,
      runs: true,
    };
  // Functions without name and place are told apart by the call's line, which at least does not mix them.
  const isBare = name === '(anonymous)' && number(frames.functionLine) === 0;
  const byLine = granularity === 'line' || isBare;
  const line = byLine ? number(frames.line) : number(frames.functionLine);
  const parts = [frames.name, frames.place, frames.file, frames.functionLine, frames.module, frames.kind].map(number);
  return {
    identity: `${parts.join(' ')} ${byLine ? line : ''}`,
    label: name || text(frames.place),
    detail: file === '' ? (name === '' ? '' : lastPart(module)) : withLine(lastPart(file) || file, line),
    where: file === '' ? module : withLine(file, line),
    runs: false,
  };
}
