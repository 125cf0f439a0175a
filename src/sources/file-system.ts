/**
 * The synchronous calls of node:fs, for the modules `jem run` and `jemkit/auto` load. Importing them from 'node:fs' itself makes
 * Node evaluate every lazy part of it (promises, streams): 3 to 4 ms, a tenth of what such a start may cost.
 */
export const {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} = process.getBuiltinModule('node:fs');
