import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkRecordingPath, openRecordingFile } from '../../../../src/control/recording/recording-file.js';
import { writePicture } from '../../../../src/control/recording/write-picture.js';
import type { MemorySample } from '../../../../src/model/memory-sample.js';
import { readRecording } from '../../../../src/sources/recording/read-recording.js';
import { figuresOf, HEAD, sampleAt } from '../../../support/samples.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-recording-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(path: string) {
  const samples: MemorySample[] = [];
  return { recording: readRecording(path, (sample) => samples.push(sample)), samples };
}

const path = () => join(folder, 'run.jemrec');
const code = (task: () => unknown) => {
  try {
    task();
    return 'no error';
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
};

describe('a recording’s file', () => {
  it('can be read by its owner alone, and holds every sample as soon as it is written', () => {
    const file = openRecordingFile(path(), HEAD, false);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    file.append(sampleAt(0, 4096));
    expect(read(path())).toMatchObject({ recording: { samples: 1, completeness: { kind: 'open' } } });
    file.append(sampleAt(1, 8192));
    file.note({ kind: 'end', atMs: 1, reason: 'duration' });
    file.close();
    expect(read(path())).toMatchObject({
      recording: { head: HEAD, samples: 2, completeness: { kind: 'whole', reason: 'duration' } },
      samples: [sampleAt(0, 4096), sampleAt(1, 8192)],
    });
    expect(file.bytes).toBe(statSync(path()).size);
  });

  it('takes the place of an existing one only when told so, and of nothing else', () => {
    writeFileSync(path(), 'precious');
    expect(code(() => openRecordingFile(path(), HEAD, false))).toMatch(/^ERR_JEM_FILE: .*is there already/);
    expect(code(() => checkRecordingPath(path(), false))).toMatch(/^ERR_JEM_FILE: .*is there already/);
    expect(readFileSync(path(), 'utf8')).toBe('precious');
    openRecordingFile(path(), HEAD, true).close();
    expect(read(path()).recording.samples).toBe(0);
    expect(readdirSync(folder)).toEqual(['run.jemrec']);

    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'target'), 'precious');
    symlinkSync(join(folder, 'target'), join(folder, 'link'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    for (const name of ['folder', 'link', 'dangling']) {
      expect(code(() => openRecordingFile(join(folder, name), HEAD, true))).toMatch(/no plain file is there already/);
    }
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('precious');
    expect(readdirSync(folder).sort()).toEqual(['dangling', 'folder', 'link', 'run.jemrec', 'target']);
  });

  it('says what is in the way', () => {
    expect(code(() => openRecordingFile(join(folder, 'no', 'run.jemrec'), HEAD, false))).toMatch(
      /there is no such folder \(ENOENT\)/,
    );
    expect(code(() => checkRecordingPath(join(folder, 'no', 'run.jemrec'), false))).toMatch(/there is no such folder/);
    writeFileSync(join(folder, 'file'), '');
    expect(code(() => openRecordingFile(join(folder, 'file', 'run.jemrec'), HEAD, false))).toMatch(/ENOTDIR/);
  });

  it('takes less than 40 bytes a sample of a process that works', () => {
    const file = openRecordingFile(path(), HEAD, false);
    const empty = file.bytes;
    const count = 600;
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    let [small, large, requests, pages] = [20_000_000, 80_000_000, 0, 30_000];
    for (let second = 0; second < count; second++) {
      small += random(400_000) - 200_000;
      large += (random(200) - 100) * 4096;
      requests += 20_000 + random(5000);
      pages += random(200) - 100;
      file.append(
        sampleAt(second, pages * 4096, {
          process: { residentBytes: pages * 4096, anonymousBytes: (pages - 9000) * 4096, processorMs: second * 310 },
          jemalloc: figuresOf({
            smallAllocatedBytes: small,
            allocatedBytes: small + large,
            activeBytes: (pages + 100) * 4096,
            residentBytes: (pages + 900) * 4096,
            mappedBytes: (pages + 950) * 4096,
            retainedBytes: (90_000 - pages) * 4096,
            dirtyPages: random(900),
            smallAllocations: requests,
            smallDeallocations: requests - random(300),
            smallRequests: requests * 2,
          }),
        }),
      );
    }
    file.close();
    expect((file.bytes - empty) / count).toBeLessThan(40);
  });
});

describe('writePicture', () => {
  it('replaces a file in one step and leaves nothing beside it', () => {
    const target = join(folder, 'run.svg');
    writePicture(target, '<svg/>');
    writePicture(target, '<svg></svg>');
    expect(readFileSync(target, 'utf8')).toBe('<svg></svg>');
    expect(readdirSync(folder)).toEqual(['run.svg']);
    expect(code(() => writePicture(join(folder, 'no', 'run.svg'), ''))).toMatch(/^ERR_JEM_FILE: cannot write/);
    mkdirSync(join(folder, 'run.png'));
    expect(code(() => writePicture(join(folder, 'run.png'), ''))).toMatch(/^ERR_JEM_FILE/);
    expect(readdirSync(folder).sort()).toEqual(['run.png', 'run.svg']);
  });
});
