// Builds jemkit's native part: two calls of the C compiler, nothing else.
//   prebuilds/<platform>/jemkit.node    the addon (Node-API 9)
//   prebuilds/<platform>/libjemkit.so   the preloaded helper library
//
// --if-missing   leave existing files alone (the published package carries them)
// --optional     a missing or failing compiler is said in one line and is not an error
// --sanitize     address and undefined-behaviour sanitizers; needs --into
// --into FOLDER  build there instead of prebuilds/<platform>
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const flags = new Set(process.argv.slice(2));
const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
const platform =
  process.platform === 'linux'
    ? `linux-${process.arch}-${musl ? 'musl' : 'glibc'}`
    : `${process.platform}-${process.arch}`;
const sanitize = flags.has('--sanitize');
const into = process.argv.indexOf('--into');
const folder = into === -1 ? join(here, '..', 'prebuilds', platform) : process.argv[into + 1];
const mac = process.platform === 'darwin';

if (!folder || (sanitize && into === -1)) {
  stop(
    '--into needs a folder, and --sanitize needs --into: such a build must not be published',
    'node native/build.mjs --sanitize --into /tmp/sanitized',
  );
}

function stop(message, hint) {
  console.error(`jemkit: ${message}\n  hint: ${hint}`);
  process.exit(flags.has('--optional') ? 0 : 1);
}

function sources(part, begin = '') {
  return readdirSync(join(here, part))
    .filter((name) => name.startsWith(begin) && name.endsWith('.c'))
    .sort()
    .map((name) => join(here, part, name));
}

const { version } = JSON.parse(readFileSync(join(here, '..', 'package.json'), 'utf8'));
const compiler = process.env.CC || 'cc';
const common = [
  '-std=gnu11',
  '-O2',
  '-g1',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-omit-frame-pointer',
  '-Wall',
  '-Wextra',
  '-Wshadow',
  '-Wconversion',
  '-Wno-sign-conversion',
  '-Werror=implicit-function-declaration',
  ...(sanitize ? ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'] : ['-D_FORTIFY_SOURCE=2']),
  // Debug information without the paths of the machine that built it.
  `-ffile-prefix-map=${join(here, '..')}=.`,
  `-DJM_VERSION="${version}"`,
  '-I',
  join(here, 'shared'),
  '-I',
  join(here, 'agent'),
];
const link = mac
  ? ['-bundle', '-undefined', 'dynamic_lookup']
  : ['-shared', '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,nodelete', '-Wl,--build-id=sha1'];

function compile(output, args) {
  const target = join(folder, output);
  if (flags.has('--if-missing') && existsSync(target)) return;
  mkdirSync(folder, { recursive: true });
  const beside = `${target}.${process.pid}.tmp`;
  const result = spawnSync(compiler, [...args, '-o', beside], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error?.code === 'ENOENT') {
    stop(
      `no C compiler: '${compiler}' is not in PATH (expected gcc or clang; CC names another)`,
      mac ? 'xcode-select --install' : 'apt-get install -y gcc libc6-dev   (Alpine: apk add gcc musl-dev)',
    );
  }
  if (result.status !== 0) {
    rmSync(beside, { force: true });
    stop(
      `the C compiler failed on ${output} (exit code ${result.status ?? result.signal})`,
      'its messages are above; jemkit works without its native part, with an extra process in `jem run`',
    );
  }
  // Rename, not overwrite: a running process may have the old file mapped.
  renameSync(beside, target);
}

const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');
const shared = sources('shared');
// Linux alone has what the server needs of the kernel.
const server = mac ? [] : sources('agent', 'server');
const addon = [...sources('addon'), ...shared, ...server];
compile('jemkit.node', [...common, '-DNAPI_VERSION=9', '-isystem', headers, ...addon, ...link]);
// Without _FORTIFY_SOURCE, whose functions are glibc's own: a preloaded file that misses one would end its program at the start.
if (!mac)
  compile('libjemkit.so', [
    ...common,
    '-U_FORTIFY_SOURCE',
    ...sources('agent'),
    ...shared,
    ...link,
    '-Wl,-soname,libjemkit.so',
  ]);
