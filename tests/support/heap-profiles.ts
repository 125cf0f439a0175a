import fc from 'fast-check';
import { type CaptureFacts, type HeapProfile, UNKNOWN_CAPTURE } from '../../src/model/heap-profile.js';
import { type FrameInput, openProfileBuilder } from '../../src/model/heap-profile-builder.js';

export const CAPTURE: CaptureFacts = { ...UNKNOWN_CAPTURE, format: 'test' };

/** A stack with what it holds; the frames are names or frames, the allocating function first. */
export interface HeldStack {
  readonly frames: ReadonlyArray<string | FrameInput>;
  readonly bytes: number;
  readonly objects?: number;
  readonly allocatedBytes?: number;
  readonly allocatedObjects?: number;
  readonly sampled?: number;
  readonly thread?: string;
}

/** JavaScript of the application, by `function file:line`. */
export function script(text: string): FrameInput {
  const [, name = '', file = '', line = '0'] = /^(\S*) (.*):(\d+)$/.exec(text) ?? [];
  return { name, file, line: Number(line), functionLine: Number(line), kind: 'javascript' };
}

/** A native function; `module function`. */
export function native(text: string, kind: FrameInput['kind'] = 'native'): FrameInput {
  const [module = '', name = ''] = text.split(' ');
  return { module, name, kind };
}

export function profileOf(stacks: readonly HeldStack[], capture: Partial<CaptureFacts> = {}): HeapProfile {
  const builder = openProfileBuilder();
  for (const { frames, bytes, objects = 1, sampled, thread, allocatedBytes, allocatedObjects } of stacks) {
    const numbers = frames.map((frame) => builder.frame(typeof frame === 'string' ? { name: frame } : frame));
    builder.sample({
      stack: builder.stack(numbers),
      thread,
      liveBytes: bytes,
      liveObjects: objects,
      allocatedBytes,
      allocatedObjects,
      sampledObjects: sampled,
    });
  }
  return builder.build({ ...CAPTURE, ...capture });
}

const frame = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'd').map((name): FrameInput => ({ name, kind: 'native', module: '/lib/libx.so' })),
  fc
    .constantFrom('one', 'two', '')
    .chain((name) =>
      fc
        .record({ file: fc.constantFrom('/app/server.js', '/app/node_modules/pkg/index.js'), line: fc.nat(3) })
        .map(({ file, line }): FrameInput => ({ name, file, line, functionLine: line, kind: 'javascript' })),
    ),
  fc.nat(5).map((at): FrameInput => ({ address: 0x1000 + at, kind: 'unknown' })),
);

const held = fc.record(
  {
    frames: fc.array(frame, { maxLength: 8 }),
    bytes: fc.nat(1_000_000),
    objects: fc.integer({ min: 1, max: 100 }),
    sampled: fc.integer({ min: 1, max: 50 }),
    thread: fc.constantFrom('main', 'worker'),
  },
  { requiredKeys: ['frames', 'bytes', 'objects', 'sampled'] },
);

/** Profiles with recursion, empty stacks, frames without names, the same stack in several threads. */
export const profiles: fc.Arbitrary<HeapProfile> = fc
  .array(held, { maxLength: 30 })
  .map((stacks) => profileOf(stacks, { sampleBytes: 4096 }));
