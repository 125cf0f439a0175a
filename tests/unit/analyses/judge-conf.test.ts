import { expect, test } from 'vitest';
import { judgeConf } from '../../../src/analyses/judge-conf.js';

const remediesOf = (text: string) =>
  judgeConf([{ source: 'environment', name: 'MALLOC_CONF', text }], '5.3.0', 'linux').findings.map(
    ({ remedy }) => remedy,
  );

test('a remedy says to write what can be written, and nothing else', () => {
  expect(remediesOf('dirty_decay:1000')).toEqual(['write dirty_decay_ms:1000']);
  expect(remediesOf('abort_conf:true')).toEqual(['leave it out in production, and check instead: jem conf check']);
});
