// What stands between the lines is jemkit's, the lines included. The first says what was added to the file besides, so that
// taking the block out restores every byte.
const BEGIN = '# >>> jemkit >>>';
const END = '# <<< jemkit <<<';
const NOTE = ' written by jem env --persist, removed by jem env --undo';
const AFTER_LINE_FEED = ' (a line feed was added before)';

/** A file's text with the place of jemkit's block in it. */
export type BlockSearch =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly from: number; readonly to: number; readonly addedLineFeed: boolean }
  /** A line of the block is missing or stands twice: somebody edited it. */
  | { readonly kind: 'damaged'; readonly line: number };

/** Finds jemkit's block. */
export function findMarkedBlock(text: string): BlockSearch {
  let at = 0;
  let begin: { from: number; line: number; addedLineFeed: boolean } | undefined;
  let found: Extract<BlockSearch, { kind: 'found' }> | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const next = Math.min(text.length, at + line.length + 1);
    if (line.startsWith(BEGIN)) {
      if (begin || found) return { kind: 'damaged', line: index + 1 };
      begin = { from: at, line: index + 1, addedLineFeed: line.includes(AFTER_LINE_FEED) };
    } else if (line.startsWith(END)) {
      if (!begin) return { kind: 'damaged', line: index + 1 };
      found = { kind: 'found', from: begin.from, to: next, addedLineFeed: begin.addedLineFeed };
      begin = undefined;
    }
    at = next;
  }
  if (begin) return { kind: 'damaged', line: begin.line };
  return found ?? { kind: 'none' };
}

/** The text with the block in it: in the place of an earlier one, else at the end. Undefined where a block is damaged. */
export function putMarkedBlock(text: string, content: string): string | undefined {
  const search = findMarkedBlock(text);
  if (search.kind === 'damaged') return undefined;
  const needsLineFeed = search.kind === 'none' ? text !== '' && !text.endsWith('\n') : search.addedLineFeed;
  const block = `${BEGIN}${NOTE}${needsLineFeed ? AFTER_LINE_FEED : ''}\n${content}\n${END}\n`;
  if (search.kind === 'found') return text.slice(0, search.from) + block + text.slice(search.to);
  return text + (needsLineFeed ? '\n' : '') + block;
}

/** The text as it was before the block; undefined where there is none or it is damaged. */
export function takeMarkedBlock(text: string): string | undefined {
  const search = findMarkedBlock(text);
  if (search.kind !== 'found') return undefined;
  const from = search.addedLineFeed && text[search.from - 1] === '\n' ? search.from - 1 : search.from;
  return text.slice(0, from) + text.slice(search.to);
}
