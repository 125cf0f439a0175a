import { callPlace, frameName } from '../model/frame-names.js';
import { frameAt, type HeapProfile, stackFrames } from '../model/heap-profile.js';
import type { ProfileSubject, StackLine } from '../model/profile-report.js';

/** A frame by its call's place. */
export function callOf(profile: HeapProfile, frame: number): ProfileSubject {
  const facts = frameAt(profile, frame);
  return { name: frameName(facts, profile.modules), place: callPlace(facts), kind: facts.kind };
}

/** A stack, the allocating function first. */
export function stackLines(profile: HeapProfile, stack: number): StackLine[] {
  return Array.from(stackFrames(profile, stack), (frame) => ({
    ...callOf(profile, frame),
    inlined: profile.frames.inlined[frame] === 1,
  }));
}
