import { createRequire } from 'node:module';
import type { ConfigureCommand } from './command.js';

/** A verb of the command line: its line in `jem --help`, and how to load it. */
interface Verb {
  readonly summary: string;
  readonly load: () => ConfigureCommand;
}

// `require`, not `import()`: a command that replaces this process must do so before the event loop turns once, or messages
// that a parent has already sent over an IPC channel would be read here and lost.
const require = createRequire(import.meta.url);
const load = (name: string) => () => (require(`./commands/${name}.js`) as { configure: ConfigureCommand }).configure;

/** A verb of very many modules, as a bundle (scripts/compile.mjs) that takes a quarter of their time; as modules where only the compiler ran. */
const loadBundled = (name: string) => (): ConfigureCommand => {
  try {
    return (require(`../${name}/${name}.cjs`) as { configure: ConfigureCommand }).configure;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return load(name)();
  }
};

/** Every verb, in the order help shows them. */
export const VERBS: Readonly<Record<string, Verb>> = {
  run: { summary: 'start any program under jemalloc', load: load('run') },
  env: { summary: 'print (or persist) the exports that put a shell under jemalloc', load: load('env') },
  install: { summary: 'get jemalloc, without root by default', load: load('install') },
  update: { summary: 'get the newest jemalloc the package manager offers', load: load('update') },
  uninstall: { summary: 'remove what jemkit installed', load: load('uninstall') },
  doctor: { summary: 'will it work, and does it? one page of findings', load: load('doctor') },
  ps: { summary: 'which allocator serves each process', load: load('ps') },
  explain: { summary: 'where every byte of RSS is, and what stands out', load: load('explain') },
  record: { summary: 'record a process’s memory over time into a small file', load: load('record') },
  plot: { summary: 'draw recordings: in the terminal, as SVG, HTML or PNG', load: load('plot') },
  watch: { summary: 'do something when a process’s memory crosses a limit', load: load('watch') },
  ctl: { summary: 'read and set the mallctl keys of a running process', load: load('ctl') },
  purge: { summary: 'give back what jemalloc keeps unused in a process', load: load('purge') },
  decay: { summary: 'let unused memory of a process decay, or change its decay times', load: load('decay') },
  stats: { summary: 'the memory of a running process on one page', load: load('stats') },
  top: { summary: 'all processes with an agent, live', load: load('top') },
  profile: { summary: 'which functions hold the native memory: capture a heap profile', load: load('profile') },
  report: { summary: 'who holds native memory: read heap profiles', load: loadBundled('report') },
  conf: { summary: 'check, explain and list MALLOC_CONF options and presets', load: load('conf') },
  config: { summary: 'compiler flags and folders, as jemalloc-config', load: load('config') },
  demo: { summary: 'the same server under glibc and under jemalloc, measured', load: load('demo') },
  completion: { summary: 'print a completion script for your shell', load: load('completion') },
};
