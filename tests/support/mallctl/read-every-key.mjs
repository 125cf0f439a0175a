// Reads every readable key of the table at every index, and asks each for a value of another size; prints what came as JSON.

import { MALLCTL_TYPES } from '../../../dist/model/mallctl-keys/row.js';
import { MALLCTL_KEYS } from '../../../dist/model/mallctl-keys.js';
import { mallctlAddon } from '../../../dist/native.js';
import {
  readMallctl,
  readMallctlExact,
  readMallctlNumber,
  refreshMallctl,
} from '../../../dist/sources/mallctl/read-mallctl.js';

const ALL_ARENAS = 4096;
const ENOUGH = 400;

refreshMallctl();
const arenas = [ALL_ARENAS];
const count = readMallctl('arenas.narenas');
for (let at = 0; count.kind === 'value' && at < count.value; at++) {
  const initialized = readMallctl(`arena.${at}.initialized`);
  if (initialized.kind === 'value' && initialized.value) arenas.push(at);
}

/** The names of a pattern, well past the last index there is. */
function* namesOf(key) {
  if (!key.includes('<i>')) {
    yield key;
    return;
  }
  const ofArena = /^(arena|stats\.arenas|experimental\.arenas)\.<i>/.test(key);
  for (const i of ofArena ? arenas : Array.from({ length: ENOUGH }, (_, at) => at)) {
    const outer = key.replace('<i>', i);
    if (!outer.includes('<j>')) yield outer;
    else for (let j = 0; j < ENOUGH; j++) yield outer.replace('<j>', j);
  }
}

const isRightType = (type, value) =>
  type === 'object'
    ? typeof value.requestedBytes === 'bigint' && typeof value.count === 'bigint'
    : typeof value === type && (type !== 'number' || Number.isInteger(value));

const addon = mallctlAddon();
const keys = {};
for (const [key, row] of Object.entries(MALLCTL_KEYS)) {
  if (row.access !== 'read' && row.access !== 'read-write') continue;
  const { code, javascript } = MALLCTL_TYPES[row.type];
  const seen = { kinds: {}, wrongTypes: [], disagreeing: [], sizes: [] };
  for (const name of namesOf(key)) {
    const read = readMallctl(name);
    seen.kinds[read.kind] = (seen.kinds[read.kind] ?? 0) + 1;
    if (read.kind !== 'value') continue;
    if (!isRightType(javascript, read.value)) seen.wrongTypes.push([name, String(read.value)]);
    if ((javascript === 'number' || javascript === 'bigint') && !/^(thread|epoch|approximate)/.test(key)) {
      const exact = readMallctlExact(name);
      const number = readMallctlNumber(name);
      const same = exact.kind === 'value' && BigInt(read.value) === exact.value && number.value === Number(exact.value);
      if (!same && row.type !== 'void *') seen.disagreeing.push(name);
    }
    if (seen.sizes.length === 0 && row.type !== 'char []') {
      // A value of one byte more or less than the true size must be refused, and nothing written.
      const other = row.type === 'bool' ? MALLCTL_TYPES.size_t.code : MALLCTL_TYPES.bool.code;
      const refused = addon.mallctlRead(name, other, 0);
      seen.sizes.push({ code, errno: refused?.errno, bytes: refused?.bytes });
    }
  }
  keys[key] = seen;
}

/** The truth values that some keys need. */
const needed = new Set(Object.values(MALLCTL_KEYS).map(({ needs }) => needs));
const truths = Object.fromEntries(
  [...needed].filter((key) => key !== undefined).map((key) => [key, readMallctl(key).value ?? false]),
);
const version = readMallctl('version');
console.log(JSON.stringify({ version: version.value, arenas, truths, keys }));
