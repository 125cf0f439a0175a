#!/usr/bin/env node
// CommonJS on purpose: `jem run` must replace this process before the event loop's first turn (see verbs.ts), and an ES module
// as the entry point costs Node 20 that turn and 10 to 15 ms.
import cli = require('./run-cli.js');

cli.runCli(process.argv.slice(2)).then((exitCode) => {
  // Timers and sockets of a command that has said its last word must not keep the shell waiting.
  process.exit(exitCode);
});
