import { describe, expect, test } from 'vitest';
import { lastNameColumn, nameColumn } from '../../../../src/sources/symbols/function-name.js';

describe('nameColumn', () => {
  test.each([
    ['const e=[];function t', 't', 21],
    ['async function load ', 'load', 16],
    ['function* walk', 'walk', 11],
    ['x();n=', 'n', 5],
    ['const keep = async ', 'keep', 7],
    ['exports.a=function', 'exports.a', 9],
    ['({a:function*', 'a', 3],
    ['class{t(){}get size', 'size', 16],
    ['class{static async #x', 'Catalog.#x', 20],
    ['a$b=', 'b', undefined],
    ['class t{constructor', 't', 7],
    ['t=class{constructor', 't', 1],
    ['t(1);class e{constructor', 't', undefined],
    ['wrap(', 'load', undefined],
    ['forEach(', '(anonymous)', undefined],
    [`${'x'.repeat(1_000_000)};n=`, 'n', 1_000_002],
  ])('%s (%s)', (before, name, column) => expect(nameColumn(before, name)).toBe(column));
});

test('lastNameColumn takes the last place that looks like a function', () => {
  expect(lastNameColumn('t(1);function t(e){return t', 't')).toBe(15);
  expect(lastNameColumn('a.t(1)', 't')).toBeUndefined();
});
