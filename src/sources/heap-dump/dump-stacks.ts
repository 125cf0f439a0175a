import type { ProfileBuilder } from '../../model/heap-profile-builder.js';
import { growArray, mixHash } from '../../model/intern-table.js';
import { excerpt, profileError } from './profile-error.js';

/** Values of one stack as the dump has them: of what was sampled, or all. */
export interface RawCounts {
  readonly objects: number;
  readonly bytes: number;
  readonly allocatedObjects: number;
  readonly allocatedBytes: number;
}

/** Stacks of addresses and their rows, until the sections behind them have told what the addresses are. */
export interface DumpStacks {
  /** Reads addresses (`0x…`) up to the line's end, and gives the stack's number. */
  stack(bytes: Uint8Array, start: number, end: number, line: number): number;
  /** `thread`: an index of the caller's, or -1. */
  row(stack: number, thread: number, estimate: RawCounts, sampledObjects: number): void;
  /**
   * Adds everything to a profile.
   * @param expand the frames of an address, the innermost first
   */
  addTo(
    builder: ProfileBuilder,
    expand: (address: number) => readonly number[],
    threadName: (thread: number) => string,
    allocatedIsRecorded: boolean,
  ): void;
}

/** 4 bytes each: a gigabyte. Real dumps of 100,000 stacks have four million. */
const FRAME_LIMIT = 2 ** 28;

/** In place of a frame's number: no profile has so many. */
const SEVERAL = 0xffffffff;

/** Values in a row: stack, thread, four counts, sampled objects. */
const WIDTH = 7;

export function openDumpStacks(): DumpStacks {
  const addresses = openAddressTable();
  let offsets = new Uint32Array(1024);
  let stackCount = 0;
  let frames = new Uint32Array(16_384);
  let rows = new Float64Array(WIDTH * 1024);
  let rowCount = 0;

  return {
    stack(bytes, start, end, line) {
      let count = offsets[stackCount]!;
      let at = start;
      while (at < end) {
        if (bytes[at] === SPACE) {
          at += 1;
          continue;
        }
        if (bytes[at] !== ZERO || bytes[at + 1] !== LETTER_X) throw noAddress(bytes, at, end, line);
        at += 2;
        const from = at;
        let high = 0;
        let low = 0;
        for (; at < end; at++) {
          const digit = HEX_DIGITS[bytes[at]!]!;
          if (digit < 0) break;
          high = (high << 4) | (low >>> 28);
          low = (low << 4) | digit;
        }
        if (at === from || at - from > 16 || (at < end && bytes[at] !== SPACE)) {
          throw noAddress(bytes, from - 2, end, line);
        }
        if (count === frames.length) {
          if (count >= FRAME_LIMIT) throw tooLarge(line);
          frames = growArray(frames, count + 1);
        }
        frames[count++] = addresses.indexOf(high, low);
      }
      // Unwinders that stop at the stack's bottom leave a 0 there.
      while (count > offsets[stackCount]! && addresses.at(frames[count - 1]!) === 0) count -= 1;
      offsets = growArray(offsets, stackCount + 2);
      offsets[stackCount + 1] = count;
      return stackCount++;
    },

    row(stack, thread, { objects, bytes, allocatedObjects, allocatedBytes }, sampledObjects) {
      const at = rowCount * WIDTH;
      rows = growArray(rows, at + WIDTH);
      rows[at] = stack;
      rows[at + 1] = thread;
      rows[at + 2] = objects;
      rows[at + 3] = bytes;
      rows[at + 4] = allocatedObjects;
      rows[at + 5] = allocatedBytes;
      rows[at + 6] = sampledObjects;
      rowCount += 1;
    },

    addTo(builder, expand, threadName, allocatedIsRecorded) {
      // Most addresses are one frame; only those that are several have a list.
      const numbers = new Uint32Array(stackCount);
      const frameOf = new Uint32Array(addresses.count());
      const lists = new Map<number, readonly number[]>();
      for (let index = 0; index < frameOf.length; index++) {
        const expanded = expand(addresses.at(index));
        if (expanded.length !== 1) {
          lists.set(index, expanded);
          frameOf[index] = SEVERAL;
        } else frameOf[index] = expanded[0]!;
      }
      let scratch = new Uint32Array(1024);
      for (let stack = 0; stack < stackCount; stack++) {
        const to = offsets[stack + 1]!;
        let length = 0;
        for (let at = offsets[stack]!; at < to; at++) {
          const frame = frameOf[frames[at]!]!;
          const list = frame === SEVERAL ? lists.get(frames[at]!)! : undefined;
          const more = list === undefined ? 1 : list.length;
          if (length + more > scratch.length) scratch = growArray(scratch, length + more);
          if (list === undefined) scratch[length] = frame;
          else scratch.set(list, length);
          length += more;
        }
        numbers[stack] = builder.stack(scratch.subarray(0, length));
      }
      for (let row = 0; row < rowCount; row++) {
        const at = row * WIDTH;
        builder.sample({
          stack: numbers[rows[at]!]!,
          thread: threadName(rows[at + 1]!),
          liveObjects: rows[at + 2]!,
          liveBytes: rows[at + 3]!,
          allocatedObjects: allocatedIsRecorded ? rows[at + 4] : undefined,
          allocatedBytes: allocatedIsRecorded ? rows[at + 5] : undefined,
          sampledObjects: rows[at + 6],
        });
      }
    },
  };
}

const SPACE = 32;
const ZERO = 48;
const LETTER_X = 120;

/** The value of each byte as a digit; -1: it is none. */
const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

function noAddress(bytes: Uint8Array, at: number, end: number, line: number) {
  return profileError('a stack is broken', { received: excerpt(bytes, at, end), expected: 'addresses as 0x7f…', line });
}

function tooLarge(line: number) {
  return profileError('the profile is too large', {
    received: `more than ${FRAME_LIMIT} frames`,
    expected: 'fewer',
    hint: 'sample less often: jem profile PID --sample-bytes 4MiB',
    line,
  });
}

interface AddressTable {
  indexOf(high: number, low: number): number;
  at(index: number): number;
  count(): number;
}

/** Numbers the distinct addresses: millions of look-ups, so without closures and objects. */
function openAddressTable(): AddressTable {
  let addresses = new Float64Array(1024);
  let slots = new Uint32Array(2048);
  let count = 0;
  const slotOf = (high: number, low: number) => mixHash(mixHash(0, low), high) & (slots.length - 1);
  const add = (address: number, slot: number): number => {
    addresses = growArray(addresses, count + 1);
    addresses[count] = address;
    slots[slot] = count + 1;
    count += 1;
    if (count * 2 <= slots.length) return count - 1;
    slots = new Uint32Array(slots.length * 2);
    for (let index = 0; index < count; index++) {
      const known = addresses[index]!;
      let free = slotOf(Math.floor(known / 4294967296) | 0, known | 0);
      while (slots[free] !== 0) free = (free + 1) & (slots.length - 1);
      slots[free] = index + 1;
    }
    return count - 1;
  };
  return {
    indexOf(high, low) {
      const address = (high >>> 0) * 4294967296 + (low >>> 0);
      let slot = slotOf(high, low);
      for (;;) {
        const index = slots[slot]! - 1;
        if (index < 0) return add(address, slot);
        if (addresses[index] === address) return index;
        slot = (slot + 1) & (slots.length - 1);
      }
    },
    at: (index) => addresses[index]!,
    count: () => count,
  };
}
