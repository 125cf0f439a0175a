/** How a table is laid out. */
export interface TableOptions {
  readonly header?: readonly string[];
  /** Of each column; `left` where it is not said. */
  readonly align?: ReadonlyArray<'left' | 'right'>;
  /** Columns of the terminal: the last column is cut to fit. Without it nothing is cut. */
  readonly maxWidth?: number;
  /** Applied to the header line after it is laid out, so that colours do not count as width. */
  readonly styleHeader?: (line: string) => string;
}

// East Asian wide and fullwidth blocks and the emoji planes: two columns each. Combining marks and joiners: none.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO_WIDTH = /^(?:\p{Mn}|\p{Me}|[\u200b-\u200f])/u;

function characterWidth(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Cuts a text to a width, with `…` where something is missing. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const character of text) {
    const more = characterWidth(character);
    if (used + more > width - 1) break;
    kept += character;
    used += more;
  }
  return `${kept}…`;
}

/** Control characters in a foreign name could move the cursor or forge lines: they are shown as `?`. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

/** Renders rows as aligned columns two spaces apart; no line ends in spaces. */
export function renderTable(rows: ReadonlyArray<readonly string[]>, options: TableOptions = {}): string {
  const { header, align = [], maxWidth, styleHeader } = options;
  const lines = (header ? [header, ...rows] : [...rows]).map((row) => row.map(printable));
  const count = Math.max(0, ...lines.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(0, ...lines.map((row) => textWidth(row[column] ?? ''))),
  );
  const rendered = lines.map((row) => {
    let line = '';
    for (let column = 0; column < count; column++) {
      const cell = row[column] ?? '';
      const padding = ' '.repeat((widths[column] ?? 0) - textWidth(cell));
      line += (column > 0 ? '  ' : '') + (align[column] === 'right' ? padding + cell : cell + padding);
    }
    line = line.trimEnd();
    return maxWidth === undefined ? line : cutText(line, maxWidth);
  });
  if (header && styleHeader && rendered[0] !== undefined) rendered[0] = styleHeader(rendered[0]);
  return rendered.join('\n');
}
