import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readRecording } from '../../../../src/sources/recording/read-recording.js';

test('what cannot be read is said in words, with what to type instead', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jemkit-recording-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const fails = (path: string, message: string, hint: string) =>
    expect(() => readRecording(path, () => {})).toThrow(
      expect.objectContaining({ code: 'ERR_JEM_FILE', message: `cannot read ${path}: ${message}`, hint }),
    );
  fails(join(folder, 'none'), 'there is no such file', 'record one with: jem record PID -o run.jemrec');
  fails(`${folder}/`, 'it is a folder', `name the files in it: jem plot ${folder}/*.jemrec`);
});
