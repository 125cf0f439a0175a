import { callPlace, frameName, lastPart, modulePlace, packageOf, readablePath } from '../model/frame-names.js';
import { type Frame, frameAt, type HeapProfile } from '../model/heap-profile.js';
import type { FrameGrouping, ProfileSubject } from '../model/profile-report.js';

/** Frames put together by what they are part of. */
export interface FrameGroups {
  /** The group of each frame. */
  readonly of: Uint32Array;
  readonly subjects: readonly ProfileSubject[];
  /** What tells a group from others, the same in each profile: made of names, without addresses. */
  readonly keys: readonly string[];
}

/** The subject of stacks without a frame. */
export const NO_STACK: ProfileSubject = { name: '(no stack)', place: '', kind: 'unknown' };

const JAVASCRIPT = new Set(['javascript', 'node-javascript', 'interpreted', 'wasm']);

function functionPlace(frame: Frame): string {
  if (frame.file === '') return modulePlace(frame);
  const file = readablePath(frame.file);
  return JAVASCRIPT.has(frame.kind) && frame.functionLine > 0 ? `${file}:${frame.functionLine}` : file;
}

/**
 * A named function keeps its name when lines above it are added, so its line does not count; of the many without a name it is all
 * there is to tell them apart.
 */
function functionKey(frame: Frame, name: string): string {
  const where = frame.file === '' ? lastPart(frame.module) : readablePath(frame.file);
  return name === '(anonymous)' ? `${name}\0${where}\0${frame.functionLine}` : `${name}\0${where}`;
}

function describe(frame: Frame, by: FrameGrouping, profile: HeapProfile): { key: string; subject: ProfileSubject } {
  const { kind } = frame;
  const named = (name: string) => ({ key: name, subject: { name, place: '', kind } });
  switch (by) {
    case 'function': {
      const name = frameName(frame, profile.modules);
      return { key: functionKey(frame, name), subject: { name, place: functionPlace(frame), kind } };
    }
    case 'line': {
      const name = frameName(frame, profile.modules);
      const place = callPlace(frame);
      return { key: `${name}\0${place}`, subject: { name, place, kind } };
    }
    case 'file':
      if (frame.file !== '') return named(readablePath(frame.file));
      return named(frame.module || (kind === 'marker' ? frame.name : '(no file)'));
    case 'module':
      if (kind === 'marker') return named(frame.name);
      if (JAVASCRIPT.has(kind)) return named('(JavaScript)');
      return named(frame.module || '(no module)');
    case 'package':
      return named(packageOf(frame));
  }
}

/** Puts the frames of a profile into groups. */
export function groupFrames(profile: HeapProfile, by: FrameGrouping): FrameGroups {
  const numbers = new Map<string, number>();
  const subjects: ProfileSubject[] = [];
  const of = new Uint32Array(profile.frames.count);
  for (let frame = 0; frame < of.length; frame++) {
    const { key, subject } = describe(frameAt(profile, frame), by, profile);
    let group = numbers.get(key);
    if (group === undefined) {
      group = subjects.push(subject) - 1;
      numbers.set(key, group);
    }
    of[frame] = group;
  }
  return { of, subjects, keys: [...numbers.keys()] };
}
