import { describe, expect, it } from 'vitest';
import type { PresentLibrary } from '../../../src/model/install-outcome.js';
import {
  renderInstallOutcome,
  renderUninstallOutcome,
  renderUpdateOutcome,
} from '../../../src/outputs/install-outcome.js';

const library: PresentLibrary = {
  allocator: 'jemalloc',
  path: '/c/libjemalloc.so.2',
  scope: 'user',
  version: '5.3.0',
  manager: 'apt',
  package: 'libjemalloc2',
  packageVersion: '5.3.0-1',
  developmentFolder: '/c/development',
};
const system: PresentLibrary = {
  ...library,
  scope: 'system',
  path: '/usr/lib/libjemalloc.so.2',
  developmentFolder: undefined,
};
const ran = { commands: [], notes: [] };
const planned = {
  kind: 'planned',
  allocator: 'jemalloc',
  path: undefined,
  commands: [['a', 'b c'], ['d']],
  notes: [],
} as const;

describe('what install, update and uninstall say', () => {
  it('installs', () => {
    expect([
      renderInstallOutcome({ kind: 'installed', ...library, ...ran }),
      renderInstallOutcome({ kind: 'already-present', ...library, ...ran }),
      renderInstallOutcome({ kind: 'already-present', ...system, ...ran }),
      renderInstallOutcome({ kind: 'already-present', ...system, version: undefined, package: undefined, ...ran }),
      renderInstallOutcome(planned),
    ]).toMatchSnapshot();
  });

  it('updates', () => {
    expect([
      renderUpdateOutcome({ kind: 'updated', ...library, previousPackageVersion: '5.2.1-1', ...ran }),
      renderUpdateOutcome({ kind: 'updated', ...library, previousPackageVersion: undefined, ...ran }),
      renderUpdateOutcome({ kind: 'nothing-to-do', reason: 'already-newest', ...library, ...ran }),
      renderUpdateOutcome({ kind: 'nothing-to-do', reason: 'not-installed', allocator: 'mimalloc', ...ran }),
      renderUpdateOutcome(planned),
    ]).toMatchSnapshot();
  });

  it('uninstalls', () => {
    const systemCommand = ['sudo', 'apt-get', 'remove', 'libjemalloc2'];
    expect([
      renderUninstallOutcome({ kind: 'removed', allocator: 'jemalloc', paths: ['/c/a', '/c/b'], usedBy: [1], ...ran }),
      renderUninstallOutcome({ kind: 'nothing-to-do', allocator: 'jemalloc', system, systemCommand, ...ran }),
      renderUninstallOutcome({
        kind: 'nothing-to-do',
        allocator: 'jemalloc',
        system: undefined,
        systemCommand: undefined,
        ...ran,
      }),
      renderUninstallOutcome({ ...planned, paths: ['/c/a'] }),
    ]).toMatchSnapshot();
  });
});
