/** A script as it was read from its file. */
export interface ScriptText {
  readonly text: string;
  readonly lines: number;
  /** From 1, of a character position from 0; undefined behind the end. */
  placeAt(position: number): { readonly line: number; readonly column: number } | undefined;
  /** A line without its end; from 1. */
  lineAt(line: number): string;
}

/** Line ends as ECMAScript has them: positions are V8's. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/g;

export function parseScriptText(content: string): ScriptText {
  // Node takes it off before V8 sees the text.
  const text = content.startsWith('\ufeff') ? content.slice(1) : content;
  const starts = [0];
  for (const end of text.matchAll(LINE_END)) starts.push(end.index + end[0].length);
  return {
    text,
    lines: starts.length,
    placeAt(position) {
      if (!(position >= 0 && position <= text.length)) return undefined;
      let [low, high] = [0, starts.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (starts[middle]! <= position) low = middle + 1;
        else high = middle;
      }
      return { line: low, column: position - starts[low - 1]! + 1 };
    },
    lineAt(line) {
      const start = starts[line - 1] ?? text.length;
      let end = starts[line] ?? text.length;
      while (end > start && '\r\n\u2028\u2029'.includes(text[end - 1]!)) end -= 1;
      return text.slice(start, end);
    },
  };
}

/** What a profile says of a function. */
export interface ToldFunction {
  readonly name: string;
  readonly functionLine: number;
  /** 0: not known. */
  readonly functionColumn: number;
  readonly position: number;
}

const NEAR = 40;
const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Whether a function of this name may begin there; undefined where its name tells nothing. */
function mayBeginAt(script: ScriptText, told: ToldFunction): boolean | undefined {
  const { name, functionLine, functionColumn } = told;
  const own = IDENTIFIER.exec(name)?.[0];
  if (own === undefined || own === 'anonymous' || functionLine === 0) return undefined;
  // Most stand right there, and a line of a minified script takes a while to search.
  const near = script.lineAt(functionLine).slice(Math.max(0, functionColumn - own.length - NEAR), functionColumn);
  if (near.includes(own)) return true;
  // `const name =` may stand a line above its function.
  return [functionLine - 1, functionLine].some((line) => line > 0 && script.lineAt(line).includes(own));
}

/**
 * Whether the text is what ran: most functions stand on the lines where they should, and no call comes before its function. It is
 * not, where the file was changed, or compiled on its way into Node.
 */
export function isTextThatRan(script: ScriptText, functions: readonly ToldFunction[]): boolean {
  let [right, wrong] = [0, 0];
  for (const told of functions) {
    const place = told.position < 0 ? undefined : script.placeAt(told.position);
    if (told.functionLine > script.lines || (told.position >= 0 && !place)) return false;
    const begins = mayBeginAt(script, told);
    if (begins === true) right += 1;
    if (begins === false || (place && place.line < told.functionLine)) wrong += 1;
  }
  return wrong === 0 || right > wrong;
}
