// Sets up what the tests need beside `npm ci`: Debian packages (as root, or through `sudo -n`) and further Node versions.
// Where a package may not be installed it prints the one line to type and the tests that cannot run; with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Debian packages by what proves their presence, and the test files that need them. */
const PACKAGES = [
  {
    name: 'libjemalloc2',
    file: ['/usr/lib/x86_64-linux-gnu/libjemalloc.so.2', '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2'],
    tests: ['process', 'package'],
  },
  { name: 'libjemalloc-dev', file: ['/usr/include/jemalloc/jemalloc.h'], tests: ['process/conf', 'process/report'] },
  {
    name: 'libmimalloc2.0',
    file: ['/usr/lib/x86_64-linux-gnu/libmimalloc.so.2', '/usr/lib/aarch64-linux-gnu/libmimalloc.so.2'],
    tests: ['process/ps', 'process/doctor', 'process/run'],
  },
  {
    name: 'libtcmalloc-minimal4',
    file: ['/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4', '/usr/lib/aarch64-linux-gnu/libtcmalloc_minimal.so.4'],
    tests: ['process/ps', 'process/run'],
  },
  {
    name: 'redis-server',
    file: ['/usr/bin/redis-server'],
    tests: [
      'process/run',
      'process/ps',
      'process/agent-servers',
      'process/explain',
      'process/stats',
      'process/top',
      'process/record',
      'process/profile-languages',
    ],
  },
  {
    name: 'ruby',
    file: ['/usr/bin/ruby'],
    tests: ['process/run', 'process/guides', 'process/agent-languages', 'process/explain', 'process/profile-languages'],
  },
  {
    name: 'python3',
    file: ['/usr/bin/python3'],
    tests: [
      'process/run',
      'process/auto',
      'process/agent-languages',
      'process/agent-node',
      'process/stats',
      'process/top',
      'process/record',
      'process/plot',
      'process/watch',
      'process/profile-languages',
      'process/profile-program',
    ],
  },
  {
    name: 'default-jre-headless',
    file: ['/usr/bin/java'],
    tests: ['process/run', 'process/agent-languages', 'process/profile-languages'],
  },
  {
    name: 'default-jdk-headless',
    file: ['/usr/bin/javac'],
    tests: ['process/agent-languages', 'process/profile-languages'],
  },
  { name: 'puma', file: ['/usr/bin/puma'], tests: ['process/agent-languages'] },
  { name: 'nginx-light', file: ['/usr/sbin/nginx'], tests: ['process/agent-servers'] },
  // The server alone: mariadb-server would make itself a user and a service.
  { name: 'mariadb-server-core', file: ['/usr/sbin/mariadbd'], tests: ['process/agent-servers'] },
  { name: 'mariadb-client-core', file: ['/usr/bin/mariadb'], tests: ['process/agent-servers'] },
  { name: 'gcc', file: ['/usr/bin/gcc'], tests: ['process', 'native'] },
  { name: 'libc6-dev', file: ['/usr/include/stdio.h'], tests: ['process', 'native'] },
  { name: 'musl-tools', file: ['/usr/bin/musl-gcc'], tests: ['process/run', 'process/ps', 'process/doctor'] },
  { name: 'libcap2-bin', file: ['/usr/sbin/setcap', '/sbin/setcap'], tests: ['process/run'] },
  { name: 'zsh', file: ['/usr/bin/zsh', '/bin/zsh'], tests: ['process/env', 'process/completion'] },
  { name: 'fish', file: ['/usr/bin/fish'], tests: ['process/env', 'process/completion'] },
  { name: 'binutils', file: ['/usr/bin/readelf'], tests: ['native', 'process/symbolize'] },
  { name: 'strace', file: ['/usr/bin/strace'], tests: ['native/agent-filters'] },
  { name: 'util-linux', file: ['/usr/bin/setpriv'], tests: ['process'] },
  { name: 'chromium', file: ['/usr/bin/chromium'], tests: ['browser'] },
];

export const NODE_MAJORS = [20, 22, 24, 26];

/** Where the further Node versions live: outside the checkout, so that `npm ci` does not fetch them again. */
export const nodesFolder = process.env.JEMKIT_TEST_NODES ?? join(homedir(), '.cache', 'jemkit-dev', 'nodes');

function run(command, args, options = {}) {
  console.log(`+ ${[command, ...args].join(' ')}`);
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options }).status === 0;
}

function asRoot() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/** Installs what is missing; returns the packages that are still missing. */
function setUpPackages() {
  const isMissing = ({ file }) => !file.some((path) => existsSync(path));
  const missing = PACKAGES.filter(isMissing);
  if (missing.length === 0) return [];
  const names = missing.map(({ name }) => name);
  const prefix = asRoot();
  if (prefix && existsSync('/usr/bin/apt-get')) {
    const apt = (...args) => {
      const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
      return run(command, rest);
    };
    // A daemon that the package would start (redis, nginx) is not wanted: policy-rc.d is the Debian way to say so, but it is the
    // machine's file; tests use their own instances, and sockets instead of ports, either way.
    apt('-q', 'update');
    apt('-q', 'install', '-y', '--no-install-recommends', ...names);
  }
  return missing.filter(isMissing);
}

/** The user that Debian's mariadb-server runs as, and its -core packages do not make. */
function setUpServerUser() {
  const prefix = asRoot();
  if (!prefix || spawnSync('id', ['mysql'], { stdio: 'ignore' }).status === 0) return;
  const account = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const [command, ...rest] = [...prefix, 'useradd', ...account, '--shell', '/usr/sbin/nologin', 'mysql'];
  run(command, rest);
}

/** Fetches the Node versions that are not at hand, by the npm package `node`; returns the majors that are still missing. */
function setUpNodes() {
  const binary = (major) => join(nodesFolder, 'node_modules', `node${major}`, 'bin', 'node');
  const works = (major) =>
    process.versions.node.startsWith(`${major}.`) || spawnSync(binary(major), ['-v']).status === 0;
  const missing = NODE_MAJORS.filter((major) => !works(major));
  if (missing.length === 0) return [];
  mkdirSync(nodesFolder, { recursive: true });
  const manifest = join(nodesFolder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  const aliases = NODE_MAJORS.map((major) => `node${major}@npm:node@${major}`);
  run('npm', ['install', '--prefix', nodesFolder, '--no-audit', '--no-fund', ...aliases]);
  return NODE_MAJORS.filter((major) => !works(major));
}

/**
 * Packages that programs of the tests use and jemkit does not; outside the checkout, as the Node versions. better-sqlite3 is compiled where its binary cannot be
 * fetched, which takes minutes; its release 13 is not for Node 20.
 */
const TEST_PACKAGES = ['sharp@0.35.5', 'fastify@5.6.2', 'better-sqlite3@12.11.1'];
export const packagesFolder = process.env.JEMKIT_TEST_PACKAGES ?? join(homedir(), '.cache', 'jemkit-dev', 'packages');

const TESTS_OF_PACKAGES = {
  sharp: ['process/explain', 'process/leaks', 'process/profile-application'],
  fastify: ['process/profile-application'],
  'better-sqlite3': ['process/profile-application'],
};

/** Fetches them; returns those that are still missing. */
function setUpTestPackages() {
  const isMissing = (name) => !existsSync(join(packagesFolder, 'node_modules', name.split('@')[0], 'package.json'));
  if (TEST_PACKAGES.some(isMissing)) {
    mkdirSync(packagesFolder, { recursive: true });
    const manifest = join(packagesFolder, 'package.json');
    if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
    run('npm', ['install', '--prefix', packagesFolder, '--no-audit', '--no-fund', '--save-exact', ...TEST_PACKAGES]);
  }
  return TEST_PACKAGES.filter(isMissing);
}

/** Sets everything up. Returns the test files (as prefixes under tests/) that cannot run, with the reason. */
export function setUpTests() {
  const withoutPackages = setUpPackages();
  setUpServerUser();
  const withoutNodes = setUpNodes();
  const withoutTestPackages = setUpTestPackages();
  const left = [];
  if (withoutPackages.length > 0) {
    const line = `apt-get install -y --no-install-recommends ${withoutPackages.map(({ name }) => name).join(' ')}`;
    console.error(
      `\nSome Debian packages are missing and may not be installed from here. Type this, then run the tests again:\n\n  sudo ${line}\n`,
    );
    for (const { name, tests } of withoutPackages)
      for (const test of tests) left.push({ test, reason: `needs ${name}` });
  }
  for (const major of withoutNodes)
    for (const test of ['process/auto', 'package']) left.push({ test, reason: `needs Node ${major}` });
  for (const name of withoutTestPackages)
    for (const test of TESTS_OF_PACKAGES[name.split('@')[0]]) left.push({ test, reason: `needs ${name}` });
  return left;
}
