import type { StackLine } from '../../model/profile-report.js';
import { cutText } from '../text/table.js';
import { type ReportStyle, shownName, shownPlace } from './report-style.js';

const FOREIGN = new Set(['node', 'v8', 'libc', 'allocator', 'node-javascript', 'unknown']);

/** Runs of frames of Node, V8 and the C library that are no longer than this are shown whole. */
const SHORTEST_RUN = 4;

/**
 * A stack, the allocating function first, indented. Of a run of Node's, V8's and the C library's frames the first two and the last are
 * shown: the rest says nothing to who reads the leak.
 */
export function renderStack(stack: readonly StackLine[], style: ReportStyle, indent = '    '): string[] {
  const lines: string[] = [];
  const put = (text: string) => lines.push(style.width === undefined ? text : cutText(text, style.width));
  const show = ({ name, place, inlined }: StackLine) =>
    put(
      `${indent}${shownName(name)}${place === '' ? '' : ` ${shownPlace(place, style)}`}${inlined ? ' (inlined)' : ''}`,
    );
  for (let at = 0; at < stack.length; ) {
    let end = at;
    while (end < stack.length && FOREIGN.has(stack[end]!.kind)) end++;
    const run = stack.slice(at, end);
    if (run.length > SHORTEST_RUN) {
      run.slice(0, 2).forEach(show);
      put(`${indent}… ${run.length - 3} more of Node.js, V8 and the C library`);
      show(run.at(-1)!);
    } else run.forEach(show);
    if (end < stack.length) show(stack[end]!);
    at = end + 1;
  }
  return lines;
}
