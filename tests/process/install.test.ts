import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forceInstall, install, softInstall } from '../../src/control/install/install.js';
import { readInstallTarget } from '../../src/control/install/present-library.js';
import { uninstall } from '../../src/control/install/uninstall.js';
import { update } from '../../src/control/install/update.js';
import type { InstallManifest } from '../../src/model/installed-library.js';
import { installedLibraryPath, platformName } from '../../src/sources/process/jemkit-folders.js';
import {
  contentOf,
  openSilentProxy,
  serveRepository,
  withoutPackageLists,
  writeAptConfiguration,
} from '../support/package-repository.js';
import {
  finished,
  JEM,
  jem,
  ROOT,
  type RunOptions,
  runProgram,
  temporaryFolder,
  testEnvironment,
} from '../support/programs.js';

const isRoot = process.geteuid?.() === 0;
const { target } = readInstallTarget();
const platform = platformName(target.architecture, target.libc);
const libraryIn = (cache: string) => installedLibraryPath(cache, 'jemalloc', platform);
const manifestIn = (cache: string) => join(dirname(libraryIn(cache)), 'manifest.json');

/** A cache folder of this test alone, and the environment that names it. */
function freshCache(extra: RunOptions['env'] = {}) {
  const folder = temporaryFolder();
  const cache = join(folder, 'cache');
  return { folder, cache, environment: testEnvironment({ JEMKIT_CACHE_DIR: cache, ...extra }) };
}

/** Everything in a cache folder that an installation should not have left behind. */
function leftovers(cache: string): string[] {
  if (!existsSync(cache)) return [];
  return readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.incoming-|\.install\.lock/.test(name),
  );
}

/** A script in a mount namespace of its own: what it mounts is seen by nobody else and ends with it. */
function inNamespace(script: string, args: readonly string[], env: RunOptions['env'] = {}) {
  const user = isRoot ? [] : ['--user', '--map-root-user'];
  const command = [...user, '--mount', 'sh', '-ec', `${script}\nexec "$@"`, 'sh', process.execPath, JEM, ...args];
  return runProgram('unshare', command, { env, timeoutMs: 50_000 });
}

/** Hides the system's own jemalloc, if it has one. */
const HIDE_SYSTEM =
  'for file in /usr/lib/*/libjemalloc.so.2; do if [ -f "$file" ]; then mount --bind /dev/null "$file"; fi; done';

describe('installing for this user', () => {
  it('downloads, verifies, tries and places the library, and leaves nothing else', async () => {
    const { cache, environment } = freshCache();
    const phases: string[] = [];
    const outcome = await forceInstall({ environment, onProgress: ({ phase }) => phases.push(phase) });
    expect(outcome).toMatchObject({
      kind: 'installed',
      scope: 'user',
      manager: 'apt',
      package: 'libjemalloc2',
      path: libraryIn(cache),
    });
    expect([...new Set(phases)].filter((phase) => phase !== 'lists')).toEqual([
      'download',
      'extract',
      'verify',
      'place',
    ]);
    expect(outcome.commands.at(-1)?.[0]).toBe('dpkg-deb');
    const manifest = JSON.parse(readFileSync(manifestIn(cache), 'utf8')) as InstallManifest;
    expect(manifest).toMatchObject({
      format: 1,
      allocator: 'jemalloc',
      package: 'libjemalloc2',
      version: expect.stringMatching(/^5\./),
    });
    expect(manifest.files[0]?.bytes).toBe(statSync(libraryIn(cache)).size);
    expect(leftovers(cache)).toEqual([]);

    const script = "process.stdout.write(require('fs').readFileSync('/proc/self/maps', 'utf8'))";
    const { stdout, stderr } = await runProgram(process.execPath, ['-e', script], {
      env: { LD_PRELOAD: libraryIn(cache) },
    });
    expect(stdout).toContain(libraryIn(cache));
    expect(stderr).toBe('');

    const inode = statSync(libraryIn(cache)).ino;
    await expect(install({ environment })).resolves.toMatchObject({
      kind: 'already-present',
      scope: 'user',
      commands: [],
    });
    expect(statSync(libraryIn(cache)).ino).toBe(inode);
    await expect(forceInstall({ environment })).resolves.toMatchObject({ kind: 'installed', path: libraryIn(cache) });
    expect(statSync(libraryIn(cache)).ino).not.toBe(inode);
  });

  it('gets lists of its own where the system has none', async () => {
    const { folder, environment } = freshCache();
    const APT_CONFIG = writeAptConfiguration(folder, withoutPackageLists(folder));
    const outcome = await forceInstall({ environment: { ...environment, APT_CONFIG } });
    expect(outcome.kind).toBe('installed');
    expect(
      outcome.commands.map((command) => command.find((word) => /^(update|download)$/.test(word))).filter(Boolean),
    ).toContain('update');
    expect(readdirSync(join(folder, 'no-lists'))).toEqual(['partial']);
  });

  it('brings headers, tools and a tree that compilers can use with --dev', async () => {
    const { cache, folder, environment } = freshCache();
    const outcome = await forceInstall({ environment, development: true });
    const usr = join(cache, 'development', 'jemalloc', platform, 'usr');
    expect(outcome).toMatchObject({ developmentFolder: dirname(usr) });
    expect(statSync(join(usr, 'bin', 'jeprof')).mode & 0o100).not.toBe(0);
    const source = join(folder, 'version.c');
    writeFileSync(
      source,
      '#include <jemalloc/jemalloc.h>\n#include <stdio.h>\nint main(void) { puts(JEMALLOC_VERSION); return mallocx(1, 0) == 0; }\n',
    );
    const libraries = dirname(
      readdirSync(join(usr, 'lib'), { recursive: true, encoding: 'utf8' }).find((name) =>
        name.endsWith('libjemalloc.so'),
      )!,
    );
    const libdir = join(usr, 'lib', libraries);
    expect(readFileSync(join(libdir, 'pkgconfig', 'jemalloc.pc'), 'utf8')).toContain(`=${usr}`);
    const built = spawnSync('cc', [
      source,
      '-I',
      join(usr, 'include'),
      '-L',
      libdir,
      '-ljemalloc',
      `-Wl,-rpath,${libdir}`,
      '-o',
      join(folder, 'version'),
    ]);
    expect(built.stderr.toString()).toBe('');
    expect((await runProgram(join(folder, 'version'), [])).stdout).toMatch(/^5\./);

    const link = readlinkSync(dirname(usr));
    await forceInstall({ environment, development: true });
    expect(readlinkSync(dirname(usr))).not.toBe(link);
    expect(readdirSync(dirname(dirname(usr))).sort()).toEqual([readlinkSync(dirname(usr)), platform].sort());
    await expect(uninstall({ environment })).resolves.toMatchObject({ kind: 'removed' });
    expect(readdirSync(cache)).toEqual([]);
  });

  it.each(['mimalloc', 'tcmalloc'] as const)('installs %s the same way', async (allocator) => {
    const { environment } = freshCache();
    const outcome = await forceInstall({ environment, allocator });
    expect(outcome).toMatchObject({ kind: 'installed', allocator, version: expect.stringMatching(/^\d+\.\d+/) });
  });

  it('works for a user without any rights, in a home of its own', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    // The checkout may stand in a folder that only root may enter.
    for (const part of ['dist', 'prebuilds', 'package.json', 'node_modules/commander'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    const home = join(folder, 'home');
    mkdirSync(home);
    chmodSync(home, 0o777);
    const asNobody = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : ['env'];
    const [program = '', ...before] = asNobody;
    const run = (...args: string[]) =>
      runProgram(program, [...before, process.execPath, join(folder, 'dist/cli/main.cjs'), ...args], {
        cwd: '/',
        env: { HOME: home, XDG_CACHE_HOME: undefined },
        timeoutMs: 50_000,
      });
    const installed = await run('install', '--force', '--json');
    expect(installed.code).toBe(0);
    expect(JSON.parse(installed.stdout)).toMatchObject({
      kind: 'installed',
      path: libraryIn(join(home, '.cache', 'jemkit')),
    });
    expect(statSync(join(home, '.cache', 'jemkit')).mode & 0o777).toBe(0o700);

    const refused = await run('install', '--system', '--force');
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toMatch(
      /type: sudo apt-get install -y (--reinstall )?--no-install-recommends libjemalloc2 libjemalloc-dev/,
    );
    expect((await run('uninstall')).stdout).toContain(`removed ${dirname(libraryIn(join(home, '.cache', 'jemkit')))}`);
  });

  it('prints every command of a dry run and runs none', async () => {
    const { cache } = freshCache();
    const { code, stdout } = await jem(['install', '--force', '--dry-run'], { env: { JEMKIT_CACHE_DIR: cache } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^apt-get .* download libjemalloc2$/m);
    expect(stdout).toMatch(/^dpkg-deb -x /m);
    expect(existsSync(cache)).toBe(false);
  });

  it('unpacks the archives of another package manager with its commands', async () => {
    const { folder, cache, environment } = freshCache();
    await forceInstall({ environment });
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'usr/lib'), { recursive: true });
    cpSync(libraryIn(cache), join(tree, 'usr/lib/libjemalloc.so.2'));
    spawnSync('tar', ['-czf', join(folder, 'made.apk'), '-C', tree, 'usr']);
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const name of ['sh', 'tar', 'gzip', 'cp']) symlinkSync(`/bin/${name}`, join(bin, name));
    writeFileSync(
      join(bin, 'apk'),
      `#!/bin/sh\nif [ "$2" = fetch ]; then [ "$5" = jemalloc ] && cp '${folder}/made.apk' "$4/jemalloc-5.3.0-r6.apk"; elif [ "$1" = verify ]; then [ -f "$2" ]; else exit 9; fi\n`,
      { mode: 0o755 },
    );
    const outcome = await forceInstall({ environment: { ...environment, PATH: bin } });
    expect(outcome).toMatchObject({
      kind: 'installed',
      manager: 'apk',
      package: 'jemalloc',
      packageVersion: '5.3.0-r6',
    });
  });
});

describe('what was there before stays', () => {
  /** A cache that holds a library, and what must still be so after a failure. */
  async function withLibrary() {
    const made = freshCache();
    await forceInstall({ environment: made.environment });
    const before = { library: contentOf(libraryIn(made.cache)), manifest: contentOf(manifestIn(made.cache)) };
    const isUnchanged = () => {
      expect(contentOf(libraryIn(made.cache))?.equals(before.library!)).toBe(true);
      expect(contentOf(manifestIn(made.cache))?.equals(before.manifest!)).toBe(true);
    };
    return { ...made, isUnchanged };
  }

  it('without a network', async () => {
    const { folder, cache, environment, isUnchanged } = await withLibrary();
    const closed = {
      'Acquire::http::Proxy': 'http://127.0.0.1:9',
      'Acquire::https::Proxy': 'http://127.0.0.1:9',
      'Acquire::Retries': '0',
    };
    for (const lists of [{}, withoutPackageLists(folder)]) {
      const APT_CONFIG = writeAptConfiguration(folder, { ...closed, ...lists });
      await expect(forceInstall({ environment: { ...environment, APT_CONFIG } })).rejects.toMatchObject({
        code: 'ERR_JEM_INSTALL_FAILED',
        message: expect.stringContaining('unchanged'),
        hint: expect.stringContaining('proxy'),
      });
    }
    isUnchanged();
    expect(leftovers(cache)).toEqual([]);
  });

  it('with an altered archive, or one that nobody signed', async () => {
    const { folder, cache, environment, isUnchanged } = await withLibrary();
    spawnSync('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', 'libjemalloc2'], { cwd: folder });
    const fileName = readdirSync(folder).find((name) => name.endsWith('.deb'))!;
    const promised = readFileSync(join(folder, fileName));
    const control = spawnSync('dpkg-deb', ['-f', join(folder, fileName)]).stdout.toString();
    const sent = Buffer.from(promised);
    sent.writeUInt8(sent.readUInt8(sent.length - 100) ^ 1, sent.length - 100);

    const altered = await serveRepository(folder, { fileName, control, promised, sent }, true);
    await expect(
      forceInstall({ environment: { ...environment, APT_CONFIG: altered.configuration } }),
    ).rejects.toMatchObject({
      code: 'ERR_JEM_INSTALL_FAILED',
      message: expect.stringMatching(/Hash Sum mismatch|unexpected size/),
      details: { cause: 'unverified' },
    });
    expect(altered.requests.some((path) => path.endsWith('.deb'))).toBe(true);

    const unsigned = await serveRepository(folder, { fileName, control, promised, sent: promised }, false);
    await expect(
      forceInstall({ environment: { ...environment, APT_CONFIG: unsigned.configuration } }),
    ).rejects.toMatchObject({
      code: 'ERR_JEM_INSTALL_FAILED',
      details: { cause: 'unverified' },
    });
    isUnchanged();

    const honest = await serveRepository(folder, { fileName, control, promised, sent: promised }, true);
    await expect(
      forceInstall({ environment: { ...environment, APT_CONFIG: honest.configuration } }),
    ).resolves.toMatchObject({ kind: 'installed' });
    expect(leftovers(cache)).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', null],
  ] as const)('after %s in the middle of a download', async (signal, code) => {
    const { folder, cache, environment, isUnchanged } = await withLibrary();
    const proxy = await openSilentProxy();
    const APT_CONFIG = writeAptConfiguration(folder, { ...withoutPackageLists(folder), ...proxy.options });
    const child = spawn(process.execPath, [JEM, 'install', '--force'], {
      env: { ...environment, APT_CONFIG },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const connected = proxy.connected();
    const end = finished(child);
    await connected;
    child.kill(signal);
    if (signal === 'SIGKILL') {
      expect(leftovers(cache).some((name) => name.includes('.install.lock'))).toBe(true);
      await new Promise((resolve) => child.once('exit', resolve));
    } else {
      const result = await end;
      expect(result).toMatchObject({ code, stdout: '' });
      expect(result.stderr).toContain('interrupted; what was there before is unchanged');
      await proxy.deserted();
      expect(leftovers(cache)).toEqual([]);
    }
    isUnchanged();
    await expect(forceInstall({ environment })).resolves.toMatchObject({ kind: 'installed' });
    expect(existsSync(join(cache, '.install.lock'))).toBe(false);
  });

  it('on a full disk', async () => {
    for (const size of ['200k', '900k']) {
      const mounted = temporaryFolder();
      const script = `mount -t tmpfs -o size=${size} tmpfs '${mounted}'`;
      const { code, stderr } = await inNamespace(script, ['install', '--force'], {
        JEMKIT_CACHE_DIR: join(mounted, 'cache'),
        APT_CONFIG: writeAptConfiguration(temporaryFolder(), { 'Acquire::Retries': '0' }),
      });
      expect({ size, code, stderr }).toMatchObject({ size, code: 3 });
      expect(stderr).toContain('No space left on device');
      expect(stderr).toContain('hint: free some space');
    }
  });
});

describe('folders that cannot be used', () => {
  it('falls back to /var/tmp where the home is read-only, and says so', async () => {
    const home = temporaryFolder();
    const script = `mount -t tmpfs tmpfs /var/tmp; mount -t tmpfs -o ro tmpfs '${home}'`;
    const { code, stdout, stderr } = await inNamespace(script, ['install', '--force'], {
      HOME: home,
      XDG_CACHE_HOME: undefined,
    });
    expect(stderr).toContain(`${home}/.cache/jemkit cannot be written (EROFS)`);
    expect(stdout).toContain(`library: ${libraryIn(`/var/tmp/jemkit-0`)}`);
    expect(code).toBe(0);
  });

  it('refuses a fallback folder that somebody else made', async () => {
    const home = temporaryFolder();
    const script = `mount -t tmpfs tmpfs /var/tmp; mkdir -m 0777 /var/tmp/jemkit-0; mount -t tmpfs -o ro tmpfs '${home}'`;
    const { code, stderr } = await inNamespace(script, ['install', '--force'], {
      HOME: home,
      XDG_CACHE_HOME: undefined,
    });
    expect(stderr).toContain('not a folder of this user alone');
    expect(code).toBe(3);
  });

  it('says what a read-only JEMKIT_CACHE_DIR and a noexec one are', async () => {
    const mounted = temporaryFolder();
    const env = { JEMKIT_CACHE_DIR: join(mounted, 'cache') };
    const readOnly = await inNamespace(`mount -t tmpfs -o ro tmpfs '${mounted}'`, ['install', '--force'], env);
    expect(readOnly.code).toBe(3);
    expect(readOnly.stderr).toContain('cannot be written (EROFS)');
    const noexec = await inNamespace(`mount -t tmpfs -o noexec tmpfs '${mounted}'`, ['install', '--force'], env);
    expect(noexec.code).toBe(3);
    expect(noexec.stderr).toContain('mounted noexec');
  });

  it('uses the home of the user database where HOME is unset', async () => {
    mkdirSync(join(homedir(), '.cache'), { recursive: true });
    const { code, stdout } = await inNamespace('mount -t tmpfs tmpfs "$CACHE"', ['install', '--force', '--json'], {
      HOME: undefined,
      XDG_CACHE_HOME: undefined,
      CACHE: join(isRoot ? homedir() : '/root', '.cache'),
    });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { path: string }).path).toContain('/.cache/jemkit/');
  });
});

describe('two installations at once', () => {
  it('the second is told who is installing', async () => {
    const { cache, environment } = freshCache();
    const [first, second] = await Promise.allSettled([forceInstall({ environment }), forceInstall({ environment })]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'ERR_JEM_INSTALL_BUSY', message: expect.stringContaining(`process ${process.pid} `) },
    });
    expect(leftovers(cache)).toEqual([]);
  });

  it('a soft one waits and takes what the other brought', async () => {
    const { cache, environment } = freshCache();
    const waits: string[] = [];
    const installing = forceInstall({ environment, onProgress: () => {} });
    // Where the system has a jemalloc of its own, that is what a soft installation finds at once.
    const soft = softInstall({ environment, onProgress: ({ phase }) => waits.push(phase) });
    await expect(installing).resolves.toMatchObject({ kind: 'installed' });
    await expect(soft).resolves.toMatchObject({ kind: 'already-present' });
    expect(waits.filter((phase) => phase !== 'wait')).toEqual([]);
    expect(leftovers(cache)).toEqual([]);
  });
});

describe('update and uninstall', () => {
  it('replaces an older copy, keeps a newest or newer one, heals a damaged one', async () => {
    const { cache, environment } = freshCache();
    await forceInstall({ environment });
    const path = libraryIn(cache);
    await expect(update({ environment })).resolves.toMatchObject({
      kind: 'nothing-to-do',
      reason: 'already-newest',
      notes: [],
    });

    const manifest = JSON.parse(readFileSync(manifestIn(cache), 'utf8')) as InstallManifest;
    const pretend = (packageVersion: string) =>
      writeFileSync(manifestIn(cache), JSON.stringify({ ...manifest, packageVersion }));
    pretend('99.0-1');
    await expect(update({ environment })).resolves.toMatchObject({
      kind: 'nothing-to-do',
      notes: [expect.stringContaining('which is older')],
    });
    pretend('5.0.0-1');
    const inode = statSync(path).ino;
    await expect(update({ environment })).resolves.toMatchObject({
      kind: 'updated',
      path,
      previousPackageVersion: '5.0.0-1',
      packageVersion: manifest.packageVersion,
    });
    expect(statSync(path).ino).not.toBe(inode);

    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('x')]));
    await expect(update({ environment })).resolves.toMatchObject({
      kind: 'updated',
      notes: [expect.stringContaining('not the file that was installed')],
    });
    expect(statSync(path).size).toBe(manifest.files[0]?.bytes);
    expect(leftovers(cache)).toEqual([]);
  });

  it('removes its own copy and names the processes that still have it', async () => {
    const { cache, environment } = freshCache();
    await forceInstall({ environment });
    const user = spawn(process.execPath, ['-e', "process.stdout.write('ready'); process.stdin.resume()"], {
      env: testEnvironment({ LD_PRELOAD: libraryIn(cache) }),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => user.stdout.once('data', resolve));
    const outcome = await uninstall({ environment });
    expect(outcome).toMatchObject({ kind: 'removed', paths: [dirname(libraryIn(cache))], usedBy: [user.pid] });
    user.stdin.end();
    await finished(user);
    expect(readdirSync(cache)).toEqual([]);
    await expect(uninstall({ environment })).resolves.toMatchObject({ kind: 'nothing-to-do' });
  });

  it('leaves a library of the system alone and says whose it is', async () => {
    const { cache, environment } = freshCache();
    await forceInstall({ environment });
    const elsewhere = join(dirname(cache), 'libjemalloc.so.2');
    cpSync(libraryIn(cache), elsewhere);
    const empty = { JEMKIT_CACHE_DIR: join(dirname(cache), 'empty') };
    const script = `${HIDE_SYSTEM}\ntouch '${elsewhere}.keep'\nmount -t tmpfs tmpfs /usr/local/lib; cp '${elsewhere}' /usr/local/lib/`;
    const present = await inNamespace(script, ['install'], empty);
    expect(present).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("library: /usr/local/lib/libjemalloc.so.2 (the system's)"),
    });
    const removed = await inNamespace(script, ['uninstall'], empty);
    expect(removed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("/usr/local/lib/libjemalloc.so.2 is the system's, and stays"),
    });
    const updated = await inNamespace(script, ['update'], empty);
    expect(updated).toMatchObject({ code: 3, stderr: expect.stringContaining('type: jem install --force') });
  });

  it('installs where there is none at all, and has nothing to update or remove there', async () => {
    const { cache } = freshCache();
    const env = { JEMKIT_CACHE_DIR: cache };
    expect(await inNamespace(HIDE_SYSTEM, ['update'], env)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('hint: jem install'),
    });
    expect(await inNamespace(HIDE_SYSTEM, ['uninstall'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing was done'),
    });
    expect(await inNamespace(HIDE_SYSTEM, ['install'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`library: ${libraryIn(cache)}`),
    });
    expect(await inNamespace(HIDE_SYSTEM, ['install'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is there already'),
    });
  });
});

describe('what is not possible', () => {
  it.each([
    [['install', '--allocator', 'dlmalloc'], 2, "unknown allocator 'dlmalloc' (expected jemalloc, mimalloc, tcmalloc)"],
    [['install', '--user', '--system'], 2, "'--user' cannot be used with option '--system'"],
    [['install', '--sudo'], 2, "'--sudo' is only for '--system'"],
    [['update', '--nonsense'], 2, "unknown option '--nonsense'"],
  ])('%j', async (args, code, text) => {
    const result = await jem(args);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(text) });
  });

  it('says so where jemkit knows no package manager', async () => {
    const { environment } = freshCache();
    await expect(forceInstall({ environment: { ...environment, PATH: '/nonexistent' } })).rejects.toMatchObject({
      code: 'ERR_JEM_UNSUPPORTED_PLATFORM',
      hint: expect.stringContaining('--library'),
    });
  });

  it('stops before it starts where it was told to', async () => {
    const { cache, environment } = freshCache();
    await expect(forceInstall({ environment, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_JEM_INSTALL_FAILED',
    });
    expect(leftovers(cache)).toEqual([]);
  });
});
