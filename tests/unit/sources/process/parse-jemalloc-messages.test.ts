import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJemallocMessages } from '../../../../src/sources/process/parse-jemalloc-messages.js';

// As jemalloc 5.3.0 printed it.
const CONFIRMED = `<jemalloc>: malloc_conf #1 (string specified via --with-malloc-conf): ""
<jemalloc>: malloc_conf #2 (string pointed to by the global variable malloc_conf): "prof:true"
<jemalloc>: malloc_conf #3 ("name" of the file referenced by the symbolic link named /etc/malloc.conf): ""
<jemalloc>: malloc_conf #4 (value of the environment variable MALLOC_CONF): "confirm_conf:true,narenas: 2,x:1"
<jemalloc>: -- Set conf value: confirm_conf:true
<jemalloc>: -- Set conf value: narenas: 2
<jemalloc>: Invalid conf pair: x:1
<jemalloc>: malloc_conf #5 (string pointed to by the global variable malloc_conf_2_conf_harder): ""
`;

test('reads sources, accepted and refused pairs', () => {
  expect(parseJemallocMessages(CONFIRMED)).toEqual([
    { kind: 'source', source: 'compiled-in', conf: '' },
    { kind: 'source', source: 'malloc_conf-symbol', conf: 'prof:true' },
    { kind: 'source', source: 'etc-malloc-conf', conf: '' },
    { kind: 'source', source: 'environment', conf: 'confirm_conf:true,narenas: 2,x:1' },
    { kind: 'accepted', key: 'confirm_conf', value: 'true' },
    { kind: 'accepted', key: 'narenas', value: ' 2' },
    { kind: 'refused', key: 'x', value: '1', reason: 'Invalid conf pair' },
    { kind: 'source', source: 'malloc_conf_2-symbol', conf: '' },
  ]);
});

test.each([
  [
    '<jemalloc>: Out-of-range conf value: dirty_decay_ms:-2',
    { kind: 'refused', key: 'dirty_decay_ms', value: '-2', reason: 'Out-of-range conf value' },
  ],
  [
    '<jemalloc>: Invalid settings for bin_shards: bin_shards:1-2:x',
    { kind: 'refused', key: 'bin_shards', value: '1-2:x', reason: 'Invalid settings for bin_shards' },
  ],
  [
    '<jemalloc>: No getcpu support: percpu_arena:percpu',
    { kind: 'refused', key: 'percpu_arena', value: 'percpu', reason: 'No getcpu support' },
  ],
  [
    '<jemalloc>: Malformed conf string\n<jemalloc>: Malformed conf string',
    { kind: 'syntax', text: 'Malformed conf string' },
  ],
  ['<jemalloc>: Abort (abort_conf:true) on invalid conf value (see above).', { kind: 'aborted' }],
  ['<jemalloc>: Reducing narenas to limit (4094)', { kind: 'other', text: 'Reducing narenas to limit (4094)' }],
])('%s', (text, message) => {
  expect(parseJemallocMessages(text)).toEqual([message]);
});

test('leaves the lines of others out, and never throws', () => {
  expect(parseJemallocMessages('ERROR: ld.so: object …\nnode: warning')).toEqual([]);
  fc.assert(fc.property(fc.string(), (text) => parseJemallocMessages(`<jemalloc>: ${text}`).length >= 0));
});
