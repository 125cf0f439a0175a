import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkMallocConf } from '../../../src/analyses/check-malloc-conf.js';
import { DEFAULT_PRESET, PRESETS } from '../../../src/model/malloc-conf-presets.js';

test.each(Object.entries(PRESETS))('%s is accepted by every 5.x without a word', (name, preset) => {
  expect(preset.name).toBe(name);
  expect(preset.trades.length).toBeGreaterThan(40);
  expect(preset.source).toMatch(/TUNING\.md|measurements/);
  for (const version of ['5.0.0', '5.1.0', '5.2.1', '5.3.0', '5.3.1', '5.4.0']) {
    if (version === '5.0.0' && name === 'throughput') continue;
    const findings = checkMallocConf(preset.conf, { version, platform: 'linux' });
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  }
});

test('the default is one of them', () => {
  expect(Object.keys(PRESETS)).toContain(DEFAULT_PRESET);
});

// `jem run` loads it on every start.
test('the module imports nothing', () => {
  const source = readFileSync(new URL('../../../src/model/malloc-conf-presets.ts', import.meta.url), 'utf8');
  expect(source).not.toMatch(/^import/m);
});
