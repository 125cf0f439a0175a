// Calls the addon with every mixture of names, types and values that a mistake could make of them; ends only if none of it crashes.
import { mallctlAddon } from '../../../dist/native.js';

const NAMES = [
  ...[
    '',
    '.',
    '..',
    'stats',
    'stats.',
    'arena.0',
    'arena.0.',
    '0.'.repeat(90),
    '0.0.0.0.0.0.0.0',
    'stats.\0allocated',
    'é'.repeat(90),
  ],
  ...[190, 191, 192, 10_000].map((length) => 'x'.repeat(length)),
  `stats.${'a.'.repeat(80)}b`,
  ...['version', 'epoch', 'stats.allocated', 'arenas.dirty_decay_ms', 'prof.dump', 'prof.prefix', 'thread.prof.name'],
  // jemalloc itself does not check these.
  ...['arena.4096.dirty_decay_ms', 'arena.4097.dirty_decay_ms', 'stats.arenas.0.bins.36.curregs', 'arenas.bin.36.size'],
  ...['arena.0.name', 'arena.4096.name', 'arena.0.dss', 'stats.arenas.4096.uptime', 'stats.arenas.99999999999.pdirty'],
];
const VALUES = [
  ...[undefined, null, 1, 1n, -1n, 2n ** 64n, true, {}, [], Symbol('value')],
  ...[1, 4094, 4095, 9000].map((length) => 'x'.repeat(length)),
];
const TYPES = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1e9];

const addon = mallctlAddon();
let calls = 0;
let answers = 0;
function attempt(act) {
  calls++;
  try {
    if (typeof act() !== 'undefined') answers++;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
for (const name of [...NAMES, ...VALUES]) {
  for (const type of TYPES) {
    for (const form of [0, 1, 2, 9]) attempt(() => addon.mallctlRead(name, type, form));
    for (const value of VALUES) {
      for (const oldType of [0, 4, 8, 9, 11, 12]) attempt(() => addon.mallctlWrite(name, type, value, oldType, 0));
    }
    attempt(() => addon.openMallctlSampler([name], [type])(new Float64Array(1)));
  }
}
console.log(JSON.stringify({ calls, answers }));
