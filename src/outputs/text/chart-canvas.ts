/** `braille` needs colours to tell curves apart; `marks` has a character for each; `ascii` stays in ASCII. */
export type ChartDrawing = 'braille' | 'marks' | 'ascii';

/** A character of the plot and the curve it belongs to. */
interface Cell {
  readonly text: string;
  readonly series: number | undefined;
}

const SUBCOLUMNS = 2;
const SUBROWS = 4;
const BRAILLE = 0x2800;
/** The bit of each dot of a braille character, by row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** Draws into a grid of characters, each cell owned by the curve that drew it last. */
export function openCanvas(columns: number, rows: number, drawing: ChartDrawing) {
  const across = drawing === 'braille' ? columns * SUBCOLUMNS : columns;
  const down = drawing === 'braille' ? rows * SUBROWS : rows;
  const dots = new Uint8Array(columns * rows);
  const cells: (Cell | undefined)[] = new Array(columns * rows).fill(undefined);
  return {
    across,
    down,
    dot(column: number, row: number, series: number, mark: string) {
      if (column < 0 || column >= across || row < 0 || row >= down) return;
      if (drawing !== 'braille') {
        cells[row * columns + column] = { text: mark, series };
        return;
      }
      const index = Math.floor(row / SUBROWS) * columns + Math.floor(column / SUBCOLUMNS);
      const previous = cells[index];
      // Where two curves meet in one cell the later one takes it whole: one character has one colour.
      const before = previous?.series === series ? (dots[index] ?? 0) : 0;
      const bits = before | (DOTS[row % SUBROWS]?.[column % SUBCOLUMNS] ?? 0);
      dots[index] = bits;
      cells[index] = { text: String.fromCharCode(BRAILLE + bits), series };
    },
    put(column: number, row: number, text: string) {
      if (column >= 0 && column < columns) cells[row * columns + column] ??= { text, series: undefined };
    },
    row: (row: number) => cells.slice(row * columns, (row + 1) * columns),
  };
}

/** A row as text, each stretch of one curve painted as a whole. */
export function paintRow(
  cells: ReadonlyArray<Cell | undefined>,
  paint: (series: number, text: string) => string,
): string {
  let line = '';
  let run = '';
  let owner: number | undefined;
  const flush = () => {
    line += owner === undefined ? run : paint(owner, run);
    run = '';
  };
  const used = cells.findLastIndex((cell) => cell !== undefined);
  for (const cell of cells.slice(0, used + 1)) {
    if (cell?.series !== owner) flush();
    owner = cell?.series;
    run += cell?.text ?? ' ';
  }
  flush();
  return line;
}
