import type { Frame } from '../../model/heap-profile.js';
import type { FrameInput } from '../../model/heap-profile-builder.js';
import { lastNameColumn, nameColumn } from './function-name.js';
import { pathInRoot } from './path-in-root.js';
import { readRegularText } from './regular-file.js';
import { readableSource, scriptPath } from './script-path.js';
import { isTextThatRan, parseScriptText, type ScriptText } from './script-text.js';
import { readSourceMap, type SourceMap, type SourcePlace } from './source-map.js';

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

type TextPlace = NonNullable<ReturnType<ScriptText['placeAt']>>;

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

/** Where the function begins in the source, and what it is called there; undefined where the map does not tell. */
function placeBegin({ text, map }: Script, frame: Frame, call: TextPlace | undefined): SourcePlace | undefined {
  const { functionLine, functionColumn } = frame;
  if (!map || functionLine === 0) return undefined;
  const content = text.lineAt(functionLine);
  if (functionColumn === 0) {
    // A profile that another tool saved may have lost the column.
    const end = call?.line === functionLine ? call.column : content.length;
    const column = lastNameColumn(content.slice(0, end), frame.name);
    return column === undefined ? undefined : map.find(functionLine, column);
  }
  const column = nameColumn(content.slice(0, functionColumn - 1), frame.name);
  const named = column === undefined ? undefined : map.findExactly(functionLine, column);
  const begin = named ?? map.find(functionLine, functionColumn);
  return begin && { ...begin, name: named?.name };
}

/** Only the last part of the name was looked up: `exports.a` is `exports.load`. */
const renamed = (name: string, own: string | undefined) =>
  own === undefined ? name : name.replace(/#?[\p{ID_Start}$_][\p{ID_Continue}$]*$/u, () => own);

/** Of optimized code V8 may not tell which line calls; the source of the function it belongs to can be found all the same. */
function placeFunction(script: Script, frame: Frame): FrameInput | undefined {
  const begin = placeBegin(script, frame, undefined);
  if (!begin) return undefined;
  return {
    ...frame,
    file: readableSource(begin.source),
    functionLine: begin.line,
    functionColumn: begin.column,
    name: renamed(frame.name, begin.name),
    position: -1,
  };
}

function placeFrame(script: Script, frame: Frame): FrameInput | undefined {
  const place = frame.line > 0 ? { line: frame.line, column: frame.column } : script.text.placeAt(frame.position);
  if (!place) return placeFunction(script, frame);
  const run: FrameInput = { ...frame, ...place };
  const source = script.map?.find(place.line, place.column);
  if (!source) return run;
  const found = placeBegin(script, frame, place);
  const begin = found?.source === source.source ? found : undefined;
  return {
    ...run,
    file: readableSource(source.source),
    line: source.line,
    column: source.column,
    functionLine: begin?.line ?? 0,
    functionColumn: begin?.column ?? 0,
    name: renamed(frame.name, begin?.name),
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
