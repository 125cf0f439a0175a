import { excerpt, profileError } from './profile-error.js';

/** `  t3: 13: 6688 [20: 9000] name`, or without the thread. */
export interface CountLine {
  /** -1: all threads. */
  thread: number;
  objects: number;
  bytes: number;
  allocatedObjects: number;
  allocatedBytes: number;
  /** Where in the bytes the counts end. */
  end: number;
}

export function newCountLine(): CountLine {
  return { thread: -1, objects: 0, bytes: 0, allocatedObjects: 0, allocatedBytes: 0, end: 0 };
}

const SPACE = 32;
const STAR = 42;
const COLON = 58;
const LETTER_T = 116;
const OPEN = 91;
const CLOSE = 93;

/**
 * Reads a line's counts into `into`.
 * @throws JemkitError ERR_JEM_PROFILE
 */
export function readCounts(bytes: Uint8Array, start: number, end: number, line: number, into: CountLine): void {
  let at = start;
  const fail = () =>
    profileError('the counts cannot be read', {
      received: excerpt(bytes, start, end),
      expected: '"OBJECTS: BYTES [OBJECTS: BYTES]", each from 0 to 2^53',
      line,
    });
  const skip = (code: number) => {
    while (at < end && bytes[at] === SPACE) at += 1;
    if (at >= end || bytes[at] !== code) throw fail();
    at += 1;
  };
  const number = () => {
    while (at < end && bytes[at] === SPACE) at += 1;
    const from = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === from || value > Number.MAX_SAFE_INTEGER) throw fail();
    return value;
  };

  while (at < end && bytes[at] === SPACE) at += 1;
  into.thread = -1;
  if (bytes[at] === LETTER_T) {
    at += 1;
    if (bytes[at] === STAR) at += 1;
    else into.thread = number();
    skip(COLON);
  }
  into.objects = number();
  skip(COLON);
  into.bytes = number();
  skip(OPEN);
  into.allocatedObjects = number();
  skip(COLON);
  into.allocatedBytes = number();
  skip(CLOSE);
  into.end = at;
}
