import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseShellSettings,
  parseUnitSettings,
  readShellSettings,
  readUnitSettings,
} from '../../../../src/sources/process/environment-settings.js';
import { temporaryFolder } from '../../../support/programs.js';

describe('shell files', () => {
  test.each([
    ['export LD_PRELOAD=/usr/lib/libjemalloc.so.2', 'LD_PRELOAD', '/usr/lib/libjemalloc.so.2'],
    ['LD_PRELOAD=/a.so', 'LD_PRELOAD', '/a.so'],
    ['  export MALLOC_CONF="narenas:2,tcache:false"  # less', 'MALLOC_CONF', 'narenas:2,tcache:false'],
    ["export MALLOC_CONF='a:b'", 'MALLOC_CONF', 'a:b'],
    ['export LD_PRELOAD="/a.so${LD_PRELOAD:+:$LD_PRELOAD}"', 'LD_PRELOAD', '/a.so${LD_PRELOAD:+:$LD_PRELOAD}'],
    ['[ -e /a.so ] && export LD_PRELOAD=/a.so', 'LD_PRELOAD', '/a.so'],
    ['set -gx LD_PRELOAD /a.so', 'LD_PRELOAD', '/a.so'],
    ['set --global --export MALLOC_CONF narenas:2', 'MALLOC_CONF', 'narenas:2'],
    ['declare -x LD_PRELOAD=/a.so', 'LD_PRELOAD', '/a.so'],
  ])('%s', (line, variable, value) => {
    expect(parseShellSettings(`# first\n${line}\n`)).toEqual([{ variable, value, line: 2 }]);
  });

  test.each([
    '# export LD_PRELOAD=/a.so',
    'echo "LD_PRELOAD=/a.so"',
    'LD_PRELOAD=/a.so node server.js',
    'export LD_PRELOAD_X=1',
    'unset LD_PRELOAD',
    '',
  ])('is no setting: %s', (line) => expect(parseShellSettings(line)).toEqual([]));

  test('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseShellSettings(text)));
  });

  test('finds them in the files of a user and of the system', () => {
    const root = temporaryFolder();
    const home = join(root, 'home');
    mkdirSync(join(root, 'etc/profile.d'), { recursive: true });
    mkdirSync(join(home, '.config/fish'), { recursive: true });
    writeFileSync(join(home, '.bashrc'), 'export LD_PRELOAD=/a.so\n');
    writeFileSync(join(home, '.config/fish/config.fish'), 'set -gx MALLOC_CONF narenas:2\n');
    writeFileSync(join(root, 'etc/environment'), 'PATH=/bin\nMALLOC_CONF=tcache:false\n');
    writeFileSync(join(root, 'etc/profile.d/x.sh'), 'export LD_PRELOAD=/b.so\n');
    expect(readShellSettings(home, root)).toMatchObject([
      { variable: 'LD_PRELOAD', value: '/a.so', kind: 'shell-profile', path: join(home, '.bashrc'), line: 1 },
      { variable: 'MALLOC_CONF', value: 'narenas:2', kind: 'shell-profile' },
      { variable: 'MALLOC_CONF', value: 'tcache:false', kind: 'system-file', line: 2 },
      { variable: 'LD_PRELOAD', value: '/b.so', kind: 'system-file' },
    ]);
    expect(readShellSettings(join(root, 'nowhere'), join(root, 'nowhere'))).toEqual([]);
    expect(readShellSettings(undefined, join(root, 'nowhere'))).toEqual([]);
  });
});

describe('systemd units', () => {
  test('Environment= with quotes, several to a line, and goes on over lines', () => {
    const text = [
      '[Unit]',
      'Environment=LD_PRELOAD=/not-here.so',
      '[Service]',
      'Environment="LD_PRELOAD=/usr/lib/libjemalloc.so.2" A=b',
      'Environment=X=1 \\',
      "  'MALLOC_CONF=narenas:2,tcache:false'",
      'EnvironmentFile=-/etc/default/web',
    ].join('\n');
    expect(parseUnitSettings(text)).toEqual({
      assignments: [
        { variable: 'LD_PRELOAD', value: '/usr/lib/libjemalloc.so.2', line: 4 },
        { variable: 'MALLOC_CONF', value: 'narenas:2,tcache:false', line: 5 },
      ],
      files: ['/etc/default/web'],
    });
  });

  test('an empty assignment takes back what was before', () => {
    expect(parseUnitSettings('[Service]\nEnvironment=LD_PRELOAD=/a.so\nEnvironment=\n').assignments).toEqual([]);
  });

  test('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseUnitSettings(`[Service]\n${text}`)));
  });

  test('reads the unit, its template and drop-ins, and files that they name', () => {
    const root = temporaryFolder();
    const units = join(root, 'etc/systemd/system');
    mkdirSync(join(units, 'web@.service.d'), { recursive: true });
    writeFileSync(join(root, 'defaults'), 'MALLOC_CONF=narenas:2\n');
    writeFileSync(
      join(units, 'web@.service'),
      `[Service]\nExecStart=/bin/true\nEnvironmentFile=${join(root, 'defaults')}\n`,
    );
    writeFileSync(join(units, 'web@.service.d/jemalloc.conf'), '[Service]\nEnvironment=LD_PRELOAD=/a.so\n');
    expect(readUnitSettings('web@1.service', undefined, false, root)).toMatchObject([
      { variable: 'MALLOC_CONF', value: 'narenas:2', kind: 'systemd-unit', path: join(root, 'defaults') },
      { variable: 'LD_PRELOAD', value: '/a.so', path: join(units, 'web@.service.d/jemalloc.conf'), line: 2 },
    ]);
    expect(readUnitSettings('none.service', undefined, false, root)).toBeUndefined();
  });
});
