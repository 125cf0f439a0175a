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

/** Every verb, in the order help shows them. */
export const VERBS: Readonly<Record<string, Verb>> = {
  run: { summary: 'start any program under jemalloc', load: load('run') },
  env: { summary: 'print (or persist) the exports that put a shell under jemalloc', load: load('env') },
  install: { summary: 'get jemalloc, without root by default', load: load('install') },
  update: { summary: 'get the newest jemalloc the package manager offers', load: load('update') },
  uninstall: { summary: 'remove what jemkit installed', load: load('uninstall') },
  doctor: { summary: 'will it work, and does it? one page of findings', load: load('doctor') },
  ps: { summary: 'which allocator serves each process', load: load('ps') },
  conf: { summary: 'check, explain and list MALLOC_CONF options and presets', load: load('conf') },
  config: { summary: 'compiler flags and folders, as jemalloc-config', load: load('config') },
  demo: { summary: 'the same server under glibc and under jemalloc, measured', load: load('demo') },
  completion: { summary: 'print a completion script for your shell', load: load('completion') },
};
