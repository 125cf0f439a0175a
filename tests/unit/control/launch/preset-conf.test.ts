import { describe, expect, test } from 'vitest';
import { presetConf } from '../../../../src/control/launch/preset-conf.js';
import { JemkitError } from '../../../../src/errors.js';
import { PRESETS } from '../../../../src/model/malloc-conf-presets.js';

describe('presetConf', () => {
  test('gives the string of a preset, of balanced without a name, and nothing for none', () => {
    expect(presetConf('low-memory', 'linux')).toBe(PRESETS['low-memory'].conf);
    expect(presetConf(undefined, 'linux')).toBe(PRESETS.balanced.conf);
    expect(presetConf('none', 'linux')).toBeUndefined();
  });

  test.each(Object.keys(PRESETS))('%s has nothing on macOS that keeps jemalloc from starting there', (name) => {
    expect(presetConf(name, 'darwin')).not.toMatch(/background_thread|thp/);
    expect(presetConf(name, 'darwin')).toMatch(/^\w+:[^,]+(,\w+:[^,]+)*$/);
  });

  test.each(['', 'Balanced', 'constructor'])("refuses '%s' and names what there is", (name) => {
    expect(() => presetConf(name)).toThrow(JemkitError);
    expect(() => presetConf(name)).toThrow(/balanced.*or none/);
  });
});
