import { frameNamesOf, readablePath } from '../../model/frame-names.js';
import { frameAt, type HeapProfile, stackFrames } from '../../model/heap-profile.js';
import type { ProfileMeasure, ProfileSide } from '../../model/profile-report.js';

export interface SpeedscopeOptions {
  readonly name: string;
  readonly side?: ProfileSide;
  /** Which of the two is shown first. */
  readonly measure?: ProfileMeasure;
}

interface SpeedscopeFrame {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  readonly col?: number;
}

function sampled(name: string, unit: 'bytes' | 'none', samples: readonly number[][], weights: readonly number[]) {
  const endValue = weights.reduce((sum, weight) => sum + weight, 0);
  return { type: 'sampled', name, unit, startValue: 0, endValue, samples, weights };
}

/**
 * A profile in speedscope's own format: one of bytes and one of objects, each stack a sample of that weight.
 * https://www.speedscope.app/file-format-schema.json. The format knows no weight below 0: where a difference shrank, nothing is drawn.
 */
export function renderSpeedscope(
  profile: HeapProfile,
  { name, side = 'live', measure = 'bytes' }: SpeedscopeOptions,
): string {
  const { samples } = profile;
  const names = frameNamesOf(profile);
  const frames = names.map((text, number): SpeedscopeFrame => {
    const { file, module, line, column } = frameAt(profile, number);
    const where = file === '' ? module : readablePath(file);
    return {
      name: text,
      ...(where === '' ? {} : { file: where }),
      ...(line > 0 ? { line } : {}),
      ...(column > 0 ? { col: column } : {}),
    };
  });
  const of = (column: Float64Array | undefined, unit: 'bytes' | 'none', title: string) => {
    const held = Array.from({ length: samples.count }, (_, sample) => sample).filter(
      (sample) => (column?.[sample] ?? 0) > 0,
    );
    const stacks = held.map((sample) => Array.from(stackFrames(profile, samples.stack[sample]!)).reverse());
    return sampled(
      title,
      unit,
      stacks,
      held.map((sample) => Math.round(column?.[sample] ?? 0)),
    );
  };
  const live = side === 'live';
  const words = live ? 'live' : 'allocated';
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'jemkit',
    name,
    activeProfileIndex: measure === 'objects' ? 1 : 0,
    shared: { frames },
    profiles: [
      of(live ? samples.liveBytes : samples.allocatedBytes, 'bytes', `${words} bytes`),
      of(live ? samples.liveObjects : samples.allocatedObjects, 'none', `${words} objects`),
    ],
  });
}
