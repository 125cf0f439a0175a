import type { NodeFacts } from '../../model/node-facts.js';

const ISOLATE_NUMBERS = [
  'threadId',
  'atMs',
  'heapTotalBytes',
  'heapUsedBytes',
  'heapPhysicalBytes',
  'externalBytes',
  'arrayBuffersBytes',
  'heapLimitBytes',
] as const;
const SPACE_NUMBERS = ['sizeBytes', 'usedBytes', 'physicalBytes'] as const;

const BUFFER_NUMBERS = [
  'atMs',
  'arrayBuffers',
  'arrayBuffersBytes',
  'viewedBytes',
  'pools',
  'poolBytes',
  'poolViewedBytes',
] as const;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const hasNumbers = (value: Fields, names: readonly string[]) => names.every((name) => Number.isFinite(value[name]));
const isSpace = (value: unknown) =>
  isObject(value) && typeof value['name'] === 'string' && hasNumbers(value, SPACE_NUMBERS);

function isIsolate(value: unknown): boolean {
  return (
    isObject(value) &&
    hasNumbers(value, ISOLATE_NUMBERS) &&
    Array.isArray(value['spaces']) &&
    value['spaces'].every(isSpace) &&
    (value['buffers'] === undefined || (isObject(value['buffers']) && hasNumbers(value['buffers'], BUFFER_NUMBERS)))
  );
}

/** Parses what JavaScript in a process published of its isolates; undefined for any other text. */
export function parseNodeFacts(text: string): NodeFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fits =
    isObject(value) &&
    typeof value['nodeVersion'] === 'string' &&
    hasNumbers(value, ['bufferPoolBytes']) &&
    Array.isArray(value['isolates']) &&
    value['isolates'].every(isIsolate);
  return fits ? (value as unknown as NodeFacts) : undefined;
}
