import { frameNamesOf, framePlace } from '../../model/frame-names.js';
import { frameAt, type HeapProfile, stackFrames } from '../../model/heap-profile.js';
import type { ProfileMeasure, ProfileSide } from '../../model/profile-report.js';
import { printable } from '../text/table.js';

export interface CollapsedOptions {
  readonly side?: ProfileSide;
  readonly measure?: ProfileMeasure;
  /** With the line of each call behind its name. */
  readonly lines?: boolean;
}

/** A semicolon would end the frame, a line feed the stack. */
const plainName = (name: string) => printable(name).replaceAll(';', ':');

function column({ samples }: HeapProfile, side: ProfileSide, measure: ProfileMeasure): Float64Array | undefined {
  if (side === 'live') return measure === 'bytes' ? samples.liveBytes : samples.liveObjects;
  return measure === 'bytes' ? samples.allocatedBytes : samples.allocatedObjects;
}

/** Whole numbers by collapsed stack, the root first. */
function collapse(profile: HeapProfile, options: CollapsedOptions): Map<string, number> {
  const { side = 'live', measure = 'bytes', lines = false } = options;
  const names = frameNamesOf(profile).map((name, number) => {
    const place = lines ? framePlace(frameAt(profile, number)) : '';
    return plainName(place === '' ? name : `${name} (${place})`);
  });
  const values = column(profile, side, measure);
  const found = new Map<string, number>();
  const { samples } = profile;
  for (let sample = 0; sample < samples.count; sample++) {
    const frames = stackFrames(profile, samples.stack[sample]!);
    const text =
      frames.length === 0
        ? '(no stack)'
        : Array.from(frames, (frame) => names[frame]!)
            .reverse()
            .join(';');
    found.set(text, (found.get(text) ?? 0) + (values?.[sample] ?? 0));
  }
  return found;
}

/** Brendan Gregg's collapsed stacks: `root;caller;function 1234`, one stack a line. Stacks that hold nothing are left out. */
export function renderCollapsed(profile: HeapProfile, options: CollapsedOptions = {}): string {
  const lines: string[] = [];
  for (const [stack, value] of collapse(profile, options)) {
    const whole = Math.round(value);
    if (whole !== 0) lines.push(`${stack} ${whole}`);
  }
  return lines.sort().join('\n');
}

/** Two profiles in one, as his difffolded.pl writes them and flamegraph.pl draws them: `stack before after`. */
export function renderCollapsedPair(profile: HeapProfile, base: HeapProfile, options: CollapsedOptions = {}): string {
  const after = collapse(profile, options);
  const before = collapse(base, options);
  const lines: string[] = [];
  for (const stack of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [Math.round(before.get(stack) ?? 0), Math.round(after.get(stack) ?? 0)];
    if (old !== 0 || now !== 0) lines.push(`${stack} ${old} ${now}`);
  }
  return lines.sort().join('\n');
}
