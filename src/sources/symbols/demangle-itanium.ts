import { NotMangled, openCursor } from './itanium-cursor.js';
import { readClones, readEncoding } from './itanium-encodings.js';
import { printCxxName } from './itanium-print.js';

/**
 * A C++ symbol as its source has it; undefined for any other. `full` is c++filt's form, with parameters and template arguments.
 */
export function demangleItanium(symbol: string, full: boolean): string | undefined {
  const start = symbol.startsWith('_Z') ? 2 : symbol.startsWith('__Z') ? 3 : 0;
  if (start === 0) return undefined;
  try {
    const cursor = openCursor(symbol, start);
    return printCxxName(readClones(cursor, readEncoding(cursor, 'outermost')), full);
  } catch (error) {
    if (error instanceof NotMangled || error instanceof RangeError) return undefined;
    throw error;
  }
}
