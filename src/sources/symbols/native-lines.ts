import { spawn } from 'node:child_process';

/** A line of source at an address. */
export interface NativeLine {
  /** Mangled, as the debug information has it; empty where it has none. */
  readonly name: string;
  readonly file: string;
  /** 0: not known. */
  readonly line: number;
  readonly column: number;
}

export type NativeLines =
  /** For each address the functions that are there, the innermost of those inlined first; empty where nothing is known. */
  | {
      readonly kind: 'lines';
      readonly lines: ReadonlyArray<readonly NativeLine[]>;
      /** Whether a line that was not found is not there; binutils' tool does not read every form of debug information. */
      readonly thorough: boolean;
    }
  /** A whole sentence. */
  | { readonly kind: 'unavailable'; readonly reason: string };

interface Tool {
  readonly program: string;
  arguments(path: string): readonly string[];
}

/** Both write the same: the address, then two lines for each function. */
const TOOLS: readonly Tool[] = [
  {
    program: 'llvm-symbolizer',
    arguments: (path) => [
      `--obj=${path}`,
      '--output-style=GNU',
      '--addresses',
      '--inlines',
      '--no-demangle',
      '--functions=linkage',
    ],
  },
  { program: 'addr2line', arguments: (path) => ['-a', '-f', '-i', '-e', path] },
];

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

type Outcome = { readonly kind: 'output'; readonly text: string } | { readonly kind: 'failed'; readonly code: string };

function runTool(tool: Tool, path: string, input: string, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    // Not the whole environment: DEBUGINFOD_URLS would have it ask other machines.
    const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
    const child = spawn(tool.program, tool.arguments(path), { env, stdio: ['pipe', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (outcome: Outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const giveUp = (code: string) => {
      child.kill('SIGKILL');
      // What it started itself may hold the pipes, and must not hold us.
      child.stdin.destroy();
      child.stdout.destroy();
      child.unref();
      finish({ kind: 'failed', code });
    };
    const timer = setTimeout(() => giveUp(`no answer in ${timeoutMs / 1000} s`), timeoutMs);
    child.on('error', (error: NodeJS.ErrnoException) => finish({ kind: 'failed', code: error.code ?? 'EIO' }));
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) giveUp('too long an answer');
    });
    child.on('close', (code, signal) =>
      finish(
        code === 0
          ? { kind: 'output', text: Buffer.concat(chunks).toString('utf8') }
          : { kind: 'failed', code: signal ?? `exit code ${code}` },
      ),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function parsePlace(text: string): Omit<NativeLine, 'name'> {
  const match = /^(.*?):(\d+|\?)(?::(\d+))?(?: \(discriminator \d+\))?$/.exec(text);
  const file = match?.[1] ?? '';
  const line = Number(match?.[2]) || 0;
  return { file: file === '??' ? '' : file, line, column: Number(match?.[3]) || 0 };
}

/** Parses what the tools write with `-a -f -i`. */
export function parseAddressLines(text: string): ReadonlyMap<number, readonly NativeLine[]> {
  const found = new Map<number, NativeLine[]>();
  let current: NativeLine[] | undefined;
  let name: string | undefined;
  for (const line of text.split('\n')) {
    if (/^0x[0-9a-f]+$/.test(line)) {
      current = [];
      found.set(Number.parseInt(line, 16), current);
      name = undefined;
    } else if (current && name === undefined) name = line;
    else if (current && name !== undefined) {
      const place = parsePlace(line);
      if (name !== '??' || place.file !== '') current.push({ name: name === '??' ? '' : name, ...place });
      name = undefined;
    }
  }
  return found;
}

/**
 * Lines and inlined functions at unrelocated addresses of a file, from its debug information: llvm-symbolizer or binutils' addr2line read
 * it. One child reads all addresses of the file.
 */
export async function readNativeLines(
  path: string,
  addresses: Float64Array,
  options: { readonly timeoutMs?: number } = {},
): Promise<NativeLines> {
  const asked = addresses.filter((address) => !Number.isNaN(address));
  if (asked.length === 0) return { kind: 'lines', lines: [], thorough: true };
  const input = Array.from(asked, (address) => `0x${address.toString(16)}\n`).join('');
  for (const tool of TOOLS) {
    const outcome = await runTool(tool, path, input, options.timeoutMs ?? TIMEOUT_MS);
    if (outcome.kind === 'output') {
      const found = parseAddressLines(outcome.text);
      const lines = Array.from(addresses, (address) => found.get(address) ?? []);
      return { kind: 'lines', lines, thorough: tool === TOOLS[0] };
    }
    if (outcome.code === 'ENOENT') continue;
    return { kind: 'unavailable', reason: `${tool.program} gave no lines for ${path} (${outcome.code}).` };
  }
  const reason =
    'Lines of native code need llvm-symbolizer (package llvm) or addr2line (package binutils); neither is installed.';
  return { kind: 'unavailable', reason };
}
