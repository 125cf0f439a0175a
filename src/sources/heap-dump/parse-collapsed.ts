import { type HeapProfile, UNKNOWN_CAPTURE } from '../../model/heap-profile.js';
import { openProfileBuilder } from '../../model/heap-profile-builder.js';
import { openByteLines } from './byte-lines.js';
import { excerpt, profileError, textOf } from './profile-error.js';
import { type ProfileParser, parseAtOnce } from './profile-parser.js';

/** `outermost;…;innermost BYTES`. */
const LINE = /^(.*\S)\s+(\d+(?:\.\d+)?)$/;
const TWO_COUNTS = /\s\d+(?:\.\d+)?\s+\d+(?:\.\d+)?$/;

/** Collapsed (folded) stacks: one stack a line, frames divided by semicolons with the innermost last, then its bytes. */
export function openCollapsedParser(): ProfileParser {
  const builder = openProfileBuilder();
  let lines = 0;
  let withTwoCounts = 0;
  const reader = openByteLines((bytes, start, end, line) => {
    const text = textOf(bytes, start, end).trim();
    if (text === '' || text.startsWith('#')) return;
    const match = LINE.exec(text);
    const value = Number(match?.[2]);
    if (!match || !(value <= Number.MAX_SAFE_INTEGER)) {
      throw profileError('the line is no collapsed stack', {
        received: excerpt(bytes, start, end),
        expected: '"outer;inner BYTES"',
        line,
      });
    }
    lines += 1;
    if (TWO_COUNTS.test(text)) withTwoCounts += 1;
    const frames = match[1]!.split(';').map((name) => builder.frame({ name }));
    builder.sample({ stack: builder.stack(frames.reverse()), liveObjects: Number.NaN, liveBytes: value });
  });
  return {
    push: (piece) => reader.push(piece),
    end(): HeapProfile {
      reader.end();
      if (lines === 0) {
        throw profileError('there is no stack', { received: 'no line with one', expected: '"outer;inner BYTES"' });
      }
      if (withTwoCounts === lines) {
        throw profileError('this is the difference of two profiles', {
          received: 'two counts on every line',
          expected: 'one',
          hint: 'give both profiles instead: jem report NEW --base OLD',
        });
      }
      return builder.build({
        ...UNKNOWN_CAPTURE,
        format: 'collapsed',
        notes: [
          'Collapsed stacks do not tell their unit; the counts are taken for bytes. They have no objects and no threads.',
        ],
      });
    },
  };
}

/** @throws JemkitError ERR_JEM_PROFILE */
export function parseCollapsed(bytes: Uint8Array): HeapProfile {
  return parseAtOnce(openCollapsedParser, bytes);
}
