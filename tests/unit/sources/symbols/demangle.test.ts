import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { demangle } from '../../../../src/sources/symbols/demangle.js';
import { ROOT } from '../../../support/programs.js';

describe('demangle', () => {
  test.each([
    ['malloc', 'malloc'],
    ['malloc@@GLIBC_2.2.5', 'malloc'],
    ['_ZN4node6Buffer3NewEPN2v87IsolateEm', 'node::Buffer::New(v8::Isolate*, unsigned long)'],
    ['_ZNK3FooIiE3barEv', 'Foo<int>::bar() const'],
    ['_Z3fooIiEvPFvT_EA3_i', 'void foo<int>(void (*)(int), int [3])'],
    ['_ZN3FoocvPKcEv', 'Foo::operator char const*()'],
    ['_ZZ3foovENKUlT_E_clIiEEDaS_', 'auto foo()::{lambda(auto:1)#1}::operator()<int>(int) const'],
    ['_ZN12_GLOBAL__N_11fEv.part.0', '(anonymous namespace)::f() [clone .part.0]'],
    ['_Z1fSs', 'f(std::basic_string<char, std::char_traits<char>, std::allocator<char> >)'],
    ['_ZThn16_N1A1fEv', 'non-virtual thunk to A::f()'],
  ])('%s', (symbol, expected) => {
    expect(demangle(symbol, { full: true })).toBe(expected);
  });

  test.each([
    ['_ZN4node6Buffer3NewEPN2v87IsolateEm', 'node::Buffer::New'],
    ['_ZNSt6vectorIiSaIiEE9push_backERKi', 'std::vector::push_back'],
    ['_ZN1AlsERKi', 'A::operator<<'],
    ['_Znwm', 'operator new'],
    ['_Znam', 'operator new[]'],
    ['_ZZ3fooIiEvT_ENKUlvE_clEv', 'foo::{lambda#1}::operator()'],
    ['_ZN3FooD2Ev', 'Foo::~Foo'],
  ])('%s without parameters', (symbol, expected) => {
    expect(demangle(symbol)).toBe(expected);
  });

  test.each([
    ['_ZN4core3fmt9Formatter3pad17h0123456789abcdefE', 'core::fmt::Formatter::pad'],
    [
      '_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE',
      "<Test + 'static as foo::Bar<Test>>::bar",
    ],
    ['_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_', 'cc::spawn::{closure#0}::{closure#0}'],
    ['_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E', "<const_generic::Char<'v'>>"],
    [
      '_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std',
      'alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>',
    ],
    ['_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y', 'utf8_idents::საჭმელად_გემრიელი_სადილი'],
  ])('%s of Rust', (symbol, expected) => {
    expect(demangle(symbol)).toBe(expected);
  });

  test('the functions of a Rust program, as llvm-cxxfilt has them', () => {
    const path = join(ROOT, 'tests/golden/rust-symbols/1.95.0/symbols.tsv');
    const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(rows.length).toBeGreaterThan(100);
    for (const row of rows) {
      const [symbol = '', name] = row.split('\t');
      expect(demangle(symbol)).toBe(name);
    }
  });

  test('what is damaged stays as it is', () => {
    expect(demangle('_ZN4node')).toBe('_ZN4node');
    expect(demangle('_RNvC')).toBe('_RNvC');
  });

  test('any symbol ends, and soon', () => {
    const letters = fc.constantFrom(...'_ZNRIEJXLTSPKFvim0123456789stCDUlcldtBp.'.split(''));
    fc.assert(
      fc.property(
        fc.constantFrom('_Z', '_ZN', '_R', '_ZNSt', '_RINvC1a1f'),
        fc.array(letters, { maxLength: 120 }),
        (start, rest) => {
          const symbol = start + rest.join('');
          expect(typeof demangle(symbol, { full: true })).toBe('string');
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('references that grow without end are given up', () => {
    const bomb = `_Z1f${'1AI'.concat('S_'.repeat(8), 'E')}${Array.from({ length: 30 }, (_, i) => `1BIS${i.toString(36).toUpperCase()}_S${i.toString(36).toUpperCase()}_E`).join('')}`;
    expect(demangle(bomb, { full: true }).length).toBeLessThan(60_000);
  });
});
