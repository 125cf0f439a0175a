import { describe, expect, it } from 'vitest';
import { PRELOADABLE_ALLOCATORS } from '../../../src/model/allocator.js';
import { renderCommandLine } from '../../../src/model/command-line.js';
import {
  PACKAGE_MANAGERS,
  type PackageManagerName,
  packagesOf,
  selectPackageManager,
  upstreamVersion,
} from '../../../src/model/package-managers.js';

const manager = (name: PackageManagerName) => PACKAGE_MANAGERS.find((row) => row.name === name)!;
const distribution = (id: string | undefined, ...idLike: string[]) => ({
  id,
  idLike,
  versionId: undefined,
  prettyName: undefined,
});

/** Every command line a manager can be asked for, as recorded text. */
function recorded(name: PackageManagerName): string[] {
  const row = manager(name);
  const context = { folder: '/c', asRoot: false, lists: 'private' } as const;
  const packages = packagesOf(row.packages.jemalloc[0]!, true);
  const { download } = row;
  return [
    ...(download?.refresh ? [download.refresh(context)] : []),
    ...(download ? [download.download(context, packages), ...download.extract('/c/archives/a', '/c/root')] : []),
    row.install(packages),
    row.reinstall(packages),
    row.remove(packages),
    row.upgrade(packages),
    row.owner.query(['/usr/lib/libjemalloc.so.2']),
    row.installed.query(packages[0]!),
  ].map(renderCommandLine);
}

describe('the command lines of each package manager', () => {
  it.each(PACKAGE_MANAGERS.map(({ name }) => name))('%s', (name) => {
    expect(recorded(name)).toMatchSnapshot();
  });

  it('apt gets fresh lists into a private folder, and only as root needs the sandbox user changed', () => {
    const { download } = manager('apt');
    expect(download?.refresh?.({ folder: '/c', asRoot: true, lists: 'private' })).toEqual([
      'apt-get',
      '-q',
      '-c',
      '/c/apt.conf',
      '-o',
      'Dir::Cache=/c/cache',
      '-o',
      'Dir::State::lists=/c/lists',
      '-o',
      'APT::Sandbox::User=root',
      'update',
    ]);
    expect(download?.download({ folder: '/c', asRoot: false, lists: 'system' }, ['libjemalloc2'])).toEqual([
      'apt-get',
      '-q',
      '-c',
      '/c/apt.conf',
      '-o',
      'Dir::Cache=/c/cache',
      'download',
      'libjemalloc2',
    ]);
  });

  it('only apt is tested on a real system', () => {
    expect(PACKAGE_MANAGERS.filter(({ tested }) => tested).map(({ name }) => name)).toEqual(['apt']);
  });

  it('jemalloc is offered by every one', () => {
    for (const { packages } of PACKAGE_MANAGERS) {
      expect(packages.jemalloc).not.toHaveLength(0);
      expect(Object.keys(packages)).toEqual([...PRELOADABLE_ALLOCATORS]);
    }
  });
});

describe('what the managers print', () => {
  it('reads names and versions out of archive names', () => {
    const parse = (name: PackageManagerName, file: string) => manager(name).download?.parseArchiveName(file);
    expect(parse('apt', 'libjemalloc2_5.3.0-1_amd64.deb')).toEqual({ package: 'libjemalloc2', version: '5.3.0-1' });
    expect(parse('apt', 'libx_1%3a2.0-1_all.deb')).toEqual({ package: 'libx', version: '1:2.0-1' });
    expect(parse('apt', 'partial')).toBeUndefined();
    expect(parse('apk', 'jemalloc-5.3.0-r6.apk')).toEqual({ package: 'jemalloc', version: '5.3.0-r6' });
    expect(parse('apk', 'jemalloc-dev-5.3.0-r6.apk')).toEqual({ package: 'jemalloc-dev', version: '5.3.0-r6' });
    expect(parse('dnf', 'jemalloc-devel-5.3.0-6.fc40.x86_64.rpm')).toEqual({
      package: 'jemalloc-devel',
      version: '5.3.0-6.fc40',
    });
    expect(parse('dnf', 'jemalloc-5.3.0-6.fc40.x86_64.rpm.tgz')).toBeUndefined();
  });

  it('reads the owner of a file', () => {
    const owner = (name: PackageManagerName, output: string) => manager(name).owner.parse(output);
    expect(owner('apt', 'libjemalloc2:amd64: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2\n')).toBe('libjemalloc2');
    expect(owner('apt', 'dpkg-query: no path found matching pattern /x\n')).toBeUndefined();
    expect(owner('apk', '/usr/lib/libjemalloc.so.2 is owned by jemalloc-5.3.0-r6\n')).toBe('jemalloc');
    expect(owner('dnf', 'jemalloc\n')).toBe('jemalloc');
    expect(owner('dnf', 'file /x is not owned by any package\n')).toBeUndefined();
    expect(owner('pacman', 'jemalloc\n')).toBe('jemalloc');
    expect(owner('brew', 'jemalloc 5.3.0\n')).toBe('jemalloc');
  });

  it('reads the version of an installed package, and none of one that was removed', () => {
    const version = (name: PackageManagerName, output: string) => manager(name).installed.parse(output);
    expect(version('apt', 'ii  5.3.0-1\n')).toBe('5.3.0-1');
    expect(version('apt', 'rc  5.3.0-1\n')).toBeUndefined();
    expect(version('apt', 'un  \n')).toBeUndefined();
    expect(version('apk', 'jemalloc-5.3.0-r6\n')).toBe('5.3.0-r6');
    expect(version('dnf', '5.3.0-6.fc40\n')).toBe('5.3.0-6.fc40');
    expect(version('dnf', 'package jemalloc is not installed\n')).toBeUndefined();
    expect(version('pacman', 'jemalloc 1:5.3.0-5\n')).toBe('1:5.3.0-5');
    expect(version('brew', 'jemalloc 5.2.1 5.3.0\n')).toBe('5.3.0');
  });

  it('takes the upstream part of a package version', () => {
    expect(upstreamVersion('1:5.3.0+ds-2ubuntu1')).toBe('5.3.0');
    expect(upstreamVersion('2.10-1')).toBe('2.10');
    expect(upstreamVersion('unknown')).toBeUndefined();
  });
});

describe('selectPackageManager', () => {
  it("prefers the distribution's own", () => {
    expect(selectPackageManager(distribution('debian'), ['apt', 'dnf'])?.name).toBe('apt');
    expect(selectPackageManager(distribution('fedora'), ['apt', 'dnf'])?.name).toBe('dnf');
    expect(selectPackageManager(distribution('alpine'), ['apk'])?.name).toBe('apk');
    expect(selectPackageManager(distribution('macos'), ['brew'])?.name).toBe('brew');
  });

  it('goes by what a distribution descends from', () => {
    expect(selectPackageManager(distribution('linuxmint', 'ubuntu', 'debian'), ['apt', 'brew'])?.name).toBe('apt');
    expect(selectPackageManager(distribution('rocky', 'rhel', 'centos', 'fedora'), ['yum', 'dnf'])?.name).toBe('dnf');
  });

  it('takes any that is there on an unknown system, but not Homebrew on Linux', () => {
    expect(selectPackageManager(distribution(undefined), ['pacman'])?.name).toBe('pacman');
    expect(selectPackageManager(distribution('debian'), ['brew'])).toBeUndefined();
    expect(selectPackageManager(distribution('debian'), [])).toBeUndefined();
  });
});
