import { MEMORY_SERIES_NAMES } from '../model/memory-series.js';
import { nearestName } from './nearest-name.js';

/** What to say of a name that is no figure of a sample. */
export function unknownSeries(name: string): string {
  const near = nearestName(name, MEMORY_SERIES_NAMES);
  return `'${name}' is no figure of a sample${near ? `; did you mean ${near}?` : ''} (expected ${MEMORY_SERIES_NAMES.join(', ')}).`;
}
