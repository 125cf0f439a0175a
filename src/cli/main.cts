#!/usr/bin/env node
// CommonJS on purpose: `jem run` must replace this process before the event loop's first turn (see verbs.ts), and an ES module
// as the entry point costs Node 20 that turn and 10 to 15 ms.
import type { runCli as RunCli } from './run-cli.js';

/** The bundle of run-cli.ts and what `jem run` needs; the modules themselves where only the compiler ran (scripts/compile.mjs). */
function loadCli(): { runCli: typeof RunCli } {
  try {
    return require('../run-cli.cjs');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return require('./run-cli.js');
  }
}

loadCli()
  .runCli(process.argv.slice(2), require)
  .then((exitCode) => {
    // Timers and sockets of a command that has said its last word must not keep the shell waiting.
    process.exit(exitCode);
  });
