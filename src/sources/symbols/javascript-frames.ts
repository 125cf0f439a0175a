import type { Frame } from '../../model/heap-profile.js';
import type { FrameInput } from '../../model/heap-profile-builder.js';
import { pathInRoot } from './path-in-root.js';
import { readRegularText } from './regular-file.js';
import { readableSource, scriptPath } from './script-path.js';
import { isTextThatRan, parseScriptText, type ScriptText } from './script-text.js';
import { readSourceMap, type SourceMap } from './source-map.js';

export interface JavascriptOptions {
  readonly root?: string | undefined;
  readonly sourceMaps?: boolean | undefined;
}

export interface JavascriptFrames {
  /** By the number of the frame. */
  readonly byFrame: ReadonlyMap<number, FrameInput>;
  readonly notes: readonly string[];
}

const MAX_SCRIPT_BYTES = 256 * 1024 * 1024;

interface Script {
  readonly text: ScriptText;
  readonly map: SourceMap | undefined;
}

interface Troubles {
  readonly absent: string[];
  readonly other: string[];
  readonly maps: string[];
}

function openScript(
  path: string,
  frames: readonly Frame[],
  options: JavascriptOptions,
  troubles: Troubles,
): Script | undefined {
  // A profile that was saved with its lines needs no scripts.
  const lacksLines = frames.some(({ line }) => line === 0);
  const read = (file: string) => readRegularText(pathInRoot(options.root, file), MAX_SCRIPT_BYTES);
  const reading = read(path);
  if (reading.kind !== 'text') {
    if (lacksLines) troubles.absent.push(path);
    return undefined;
  }
  const text = parseScriptText(reading.text);
  if (!isTextThatRan(text, frames)) {
    if (lacksLines) troubles.other.push(path);
    return undefined;
  }
  if (options.sourceMaps === false) return { text, map: undefined };
  const map = readSourceMap(path, text.text, read);
  if (map.kind === 'broken') troubles.maps.push(`${path} (${map.reason})`);
  return { text, map: map.kind === 'map' ? map.map : undefined };
}

/** Where a function's name stands on the line where it begins: the last time before the call. */
function nameColumn({ text }: Script, frame: Frame, line: number, column: number): number | undefined {
  const own = /[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.exec(frame.name)?.[0];
  if (own === undefined || frame.functionLine === 0) return undefined;
  const content = text.lineAt(frame.functionLine);
  const end = line === frame.functionLine ? column : content.length;
  const quoted = own.replaceAll('$', '\\$');
  const pattern = new RegExp(`(?<![\\p{ID_Continue}$.])${quoted}(?=\\s*[(=:])`, 'gu');
  let found: number | undefined;
  for (const match of content.slice(0, end).matchAll(pattern)) found = match.index + 1;
  return found;
}

/** Of optimized code V8 may not tell which line calls; the source of the function it belongs to can be found all the same. */
function placeFunction({ text, map }: Script, frame: Frame): FrameInput | undefined {
  if (!map || frame.functionLine === 0) return undefined;
  const end = text.lineAt(frame.functionLine).length;
  const begin = nameColumn({ text, map }, frame, frame.functionLine, end);
  const source = begin === undefined ? undefined : map.find(frame.functionLine, begin);
  if (!source) return undefined;
  return {
    ...frame,
    file: readableSource(source.source),
    functionLine: source.line,
    name: source.name ?? frame.name,
    position: -1,
  };
}

function placeFrame(script: Script, frame: Frame): FrameInput | undefined {
  const place = frame.line > 0 ? { line: frame.line, column: frame.column } : script.text.placeAt(frame.position);
  if (!place) return placeFunction(script, frame);
  const run: FrameInput = { ...frame, ...place };
  const source = script.map?.find(place.line, place.column);
  if (!source) return run;
  const begin = nameColumn(script, frame, place.line, place.column);
  const named = begin === undefined ? undefined : script.map?.find(frame.functionLine, begin);
  const sameSource = named?.source === source.source;
  return {
    ...run,
    file: readableSource(source.source),
    line: source.line,
    column: source.column,
    functionLine: sameSource ? named.line : 0,
    name: sameSource && named.name !== undefined ? named.name : frame.name,
    // It counts in the text that ran.
    position: -1,
  };
}

const listed = (paths: readonly string[]) =>
  paths.length > 5 ? `${paths.slice(0, 5).join(', ')} and ${paths.length - 5} more` : paths.join(', ');

function describe({ absent, other, maps }: Troubles): string[] {
  const notes: string[] = [];
  if (absent.length > 0)
    notes.push(`Scripts that cannot be read here, so that lines in them may be missing: ${listed(absent)}.`);
  if (other.length > 0) {
    notes.push(
      `Scripts that are not the text that ran (changed since, or compiled when they were loaded), so that lines in them may be missing: ${listed(other)}.`,
    );
  }
  if (maps.length > 0) notes.push(`Source maps that could not be used: ${listed(maps)}.`);
  return notes;
}

/** Finds the lines of JavaScript frames, in the text that ran and by its source map in what it was made from. */
export async function symbolizeJavascript(
  frames: ReadonlyMap<number, Frame>,
  options: JavascriptOptions = {},
): Promise<JavascriptFrames> {
  const byScript = new Map<string, [number, Frame][]>();
  for (const entry of frames) {
    const path = scriptPath(entry[1].file);
    if (path === undefined) continue;
    const list = byScript.get(path);
    if (list) list.push(entry);
    else byScript.set(path, [entry]);
  }
  const byFrame = new Map<number, FrameInput>();
  const troubles: Troubles = { absent: [], other: [], maps: [] };
  for (const [path, list] of byScript) {
    // A server symbolizes its own profile: it answers others between two files.
    await new Promise(setImmediate);
    const told = list.map(([, frame]) => frame);
    const script = openScript(path, told, options, troubles);
    if (!script) continue;
    for (const [number, frame] of list) {
      const placed = placeFrame(script, frame);
      if (placed) byFrame.set(number, placed);
    }
  }
  return { byFrame, notes: describe(troubles) };
}
