import { excerpt, profileError } from './profile-error.js';

/** A line without its end; `whole` is false for a last one that has none. The bytes are valid during the call only. */
export type LineTaker = (bytes: Uint8Array, start: number, end: number, line: number, whole: boolean) => void;

const NEWLINE = 10;
const RETURN = 13;
/** Real lines are a few kilobytes; the statistics of a capture may be one line of a megabyte. */
const LINE_LIMIT = 32 * 1024 * 1024;

/** Cuts pieces of a file into lines, without making strings of them. */
export function openByteLines(take: LineTaker): { push(piece: Uint8Array): void; end(): void } {
  let rest = new Uint8Array(4096);
  let restLength = 0;
  let line = 0;

  const keep = (piece: Uint8Array, start: number, end: number) => {
    const length = restLength + end - start;
    if (length > LINE_LIMIT) {
      throw profileError('the line does not end', {
        received: `more than ${LINE_LIMIT} bytes, beginning with ${excerpt(restLength > 0 ? rest : piece.subarray(start))}`,
        expected: 'the text of a heap profile',
        line: line + 1,
      });
    }
    if (length > rest.length) {
      const grown = new Uint8Array(Math.max(length, rest.length * 2));
      grown.set(rest.subarray(0, restLength));
      rest = grown;
    }
    rest.set(piece.subarray(start, end), restLength);
    restLength = length;
  };
  const give = (bytes: Uint8Array, start: number, end: number, whole: boolean) => {
    line += 1;
    take(bytes, start, end > start && bytes[end - 1] === RETURN ? end - 1 : end, line, whole);
  };

  return {
    push(piece) {
      let start = 0;
      for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
        if (restLength > 0) {
          keep(piece, start, end);
          const length = restLength;
          restLength = 0;
          give(rest, 0, length, true);
        } else {
          give(piece, start, end, true);
        }
        start = end + 1;
      }
      if (start < piece.length) keep(piece, start, piece.length);
    },
    end() {
      if (restLength > 0) give(rest, 0, restLength, false);
      restLength = 0;
    },
  };
}

export function startsWith(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
