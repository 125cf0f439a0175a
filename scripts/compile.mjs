// Compiles src to dist, then bundles what `jem run` loads into one CommonJS file: on Node 20 the loader alone takes a third of the
// time that a start may cost (npm run bench:launch) when it reads thirty ES modules. The bundle stands in dist itself, one level
// under the root as native.js does, so that both find prebuilds/.
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const target = join(root, 'dist', 'run-cli.cjs');
const beside = `${target}.${process.pid}.cjs`;

// A package must not carry what an earlier build left of modules that are gone; elsewhere running programs may use dist meanwhile.
if (process.argv.includes('--fresh')) rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
// An error of types leaves usable JavaScript: the bundle is made either way, and never older than the modules.
const bundle = await rolldown({
  input: join(root, 'dist', 'cli', 'run-cli.js'),
  platform: 'node',
  external: [/^node:/],
});
await bundle.write({ file: beside, format: 'cjs', comments: false });
// Renamed when it is whole: a jem that starts at this moment reads the old one or the new one.
renameSync(beside, target);
process.exitCode = compiler.status ?? 1;
