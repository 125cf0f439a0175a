import { dirname, resolve } from 'node:path';
import { AnyMap, originalPositionFor, type TraceMap, traceSegment } from '@jridgewell/trace-mapping';

/** Where a place of a script comes from. */
export interface SourcePlace {
  readonly source: string;
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** What stood there, where the map tells. */
  readonly name: string | undefined;
}

export interface SourceMap {
  /** Both from 1. Undefined: no source. */
  find(line: number, column: number): SourcePlace | undefined;
  /** The same, of a place that the map has itself: what stands before the next such place may be named after another. */
  findExactly(line: number, column: number): SourcePlace | undefined;
}

export type SourceMapReading =
  | { readonly kind: 'map'; readonly map: SourceMap }
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly reason: string };

const COMMENT = /(?:\/\/|\/\*)[#@][ \t]*sourceMappingURL=([^\s'"*]+)/g;
/** The comment stands at the end; an inlined map is long, and ends there too. */
const TAIL_CHARACTERS = 4096;

/** What the last `sourceMappingURL` comment of a script says. */
export function sourceMapUrl(text: string): string | undefined {
  const at = text.lastIndexOf('sourceMappingURL=');
  if (at < 0) return undefined;
  if (!text.startsWith('data:', at + 'sourceMappingURL='.length) && at < text.length - TAIL_CHARACTERS)
    return undefined;
  return [...text.slice(Math.max(0, at - 8)).matchAll(COMMENT)].at(-1)?.[1];
}

/** The path of a map beside its script; undefined for an address on the network, which is not asked. */
export function sourceMapPath(scriptPath: string, url: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) return undefined;
  try {
    return resolve(dirname(scriptPath), decodeURIComponent(url));
  } catch {
    return undefined;
  }
}

function decodeDataUrl(url: string): string | undefined {
  const comma = url.indexOf(',');
  if (!url.startsWith('data:') || comma < 0) return undefined;
  const content = url.slice(comma + 1);
  if (/;base64$/i.test(url.slice(0, comma))) return Buffer.from(content, 'base64').toString('utf8');
  try {
    return decodeURIComponent(content);
  } catch {
    return undefined;
  }
}

/** The first line of a reply that must not run as a script, which some servers put into the file too. */
const PREFIX = /^\)\]\}'[^\n]*\n/;

/** Parses a map, in sections or not. `path`: where it was, from which its sources are told. */
export function parseSourceMap(text: string, path: string): SourceMapReading {
  let map: TraceMap;
  try {
    map = new AnyMap(text.replace(PREFIX, ''), path);
  } catch (error) {
    return { kind: 'broken', reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
  const find = (line: number, column: number): SourcePlace | undefined => {
    const found = originalPositionFor(map, { line, column: Math.max(0, column - 1) });
    if (found.source === null) return undefined;
    return { source: found.source, line: found.line, column: found.column + 1, name: found.name ?? undefined };
  };
  // Mappings are decoded when they are first asked for, and may be damaged.
  const unlessDamaged = (look: () => SourcePlace | undefined) => {
    try {
      return look();
    } catch {
      return undefined;
    }
  };
  return {
    kind: 'map',
    map: {
      find: (line, column) => unlessDamaged(() => find(line, column)),
      findExactly: (line, column) =>
        unlessDamaged(() =>
          traceSegment(map, line - 1, column - 1)?.[0] === column - 1 ? find(line, column) : undefined,
        ),
    },
  };
}

/** The map that a script carries or names. `read` gives the text of a file, or why not. */
export function readSourceMap(
  scriptPath: string,
  text: string,
  read: (path: string) => { readonly text: string } | { readonly code: string },
): SourceMapReading {
  const url = sourceMapUrl(text);
  if (url === undefined) return { kind: 'none' };
  if (url.startsWith('data:')) {
    const content = decodeDataUrl(url);
    return content === undefined
      ? { kind: 'broken', reason: 'its data: URL is damaged' }
      : parseSourceMap(content, scriptPath);
  }
  const path = sourceMapPath(scriptPath, url);
  if (path === undefined) return { kind: 'broken', reason: `${url} is not asked for over the network` };
  const reading = read(path);
  if ('code' in reading) return { kind: 'broken', reason: `${path} cannot be read (${reading.code})` };
  return parseSourceMap(reading.text, path);
}
