// Compiles src to dist, then bundles the entries whose start must be quick into one file each: on Node 20 the loader alone takes
// a third of the time that a start may cost (npm run bench:launch) when it reads thirty ES modules. The bundles stand in dist
// itself, one level under the root as native.js does, so that both find prebuilds/.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { bundleFlameGraphClient } from './bundle-flame-graph.mjs';

const root = join(import.meta.dirname, '..');
const BUNDLES = [
  { from: 'cli/run-cli.js', to: 'run-cli.cjs', format: 'cjs' },
  { from: 'entry/auto.js', to: 'auto.js', format: 'es' },
  { from: 'entry/index.js', to: 'index.js', format: 'es' },
  { from: 'entry/profile.cjs', to: 'profile.cjs', format: 'cjs' },
];

// A package must not carry what an earlier build left of modules that are gone; elsewhere running programs may use dist meanwhile.
if (process.argv.includes('--fresh')) rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiler = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
const client = join(root, 'dist', 'outputs', 'flame-graph', 'client-code.js');
mkdirSync(dirname(client), { recursive: true });
writeFileSync(`${client}.${process.pid}.tmp`, await bundleFlameGraphClient());
renameSync(`${client}.${process.pid}.tmp`, client);
// An error of types leaves usable JavaScript: the bundles are made either way, and never older than the modules.
for (const { from, to, format } of BUNDLES) {
  const target = join(root, 'dist', to);
  const beside = `${target}.${process.pid}.tmp`;
  const bundle = await rolldown({ input: join(root, 'dist', from), platform: 'node', external: [/^node:/] });
  await bundle.write({ file: beside, format, comments: false, codeSplitting: false });
  // Renamed when it is whole: a program that starts at this moment reads the old one or the new one.
  renameSync(beside, target);
}
await bundleVerb('report');
process.exitCode = compiler.status ?? 1;

/**
 * A verb of very many modules as a few files in dist/<verb>: what it imports while it runs stands apart. Commander stays outside: it is
 * loaded before any verb is.
 */
async function bundleVerb(verb) {
  const folder = join(root, 'dist', verb);
  const input = { [verb]: join(root, 'dist', 'cli', 'commands', `${verb}.js`) };
  const bundle = await rolldown({ input, platform: 'node', external: [/^node:/, 'commander'] });
  const names = { entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs' };
  const { output } = await bundle.generate({ format: 'cjs', comments: false, ...names });
  mkdirSync(folder, { recursive: true });
  // The one that names the others last.
  for (const { fileName, code } of output.toReversed()) {
    const target = join(folder, fileName);
    writeFileSync(`${target}.${process.pid}.tmp`, code);
    renameSync(`${target}.${process.pid}.tmp`, target);
  }
}
