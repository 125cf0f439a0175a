import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withInstallLock } from '../../../../src/control/install/install-lock.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jemkit-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lock = () => join(folder, '.install.lock');
const here = () =>
  `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
const take = (waitMs = 0) => withInstallLock(folder, { waitMs }, async () => 'done');

describe.runIf(process.platform === 'linux')('withInstallLock', () => {
  it('lets go whether the work succeeds or fails, and leaves no file', async () => {
    await expect(take()).resolves.toBe('done');
    await expect(
      withInstallLock(folder, { waitMs: 0 }, async () => {
        throw new Error('x');
      }),
    ).rejects.toThrow('x');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('names the process that holds it', async () => {
    await withInstallLock(folder, { waitMs: 0 }, async () => {
      await expect(take()).rejects.toMatchObject({
        code: 'ERR_JEM_INSTALL_BUSY',
        message: expect.stringContaining(`process ${process.pid} `),
        details: { pid: process.pid },
      });
    });
  });

  it('waits for a holder that lets go, and says so once', async () => {
    let release = () => {};
    const holding = withInstallLock(folder, { waitMs: 0 }, () => new Promise<void>((resolve) => (release = resolve)));
    const waits: number[] = [];
    const waiting = withInstallLock(
      folder,
      {
        waitMs: 60_000,
        onWait: (pid) => {
          waits.push(pid);
          release();
        },
      },
      async () => 'second',
    );
    await holding;
    await expect(waiting).resolves.toBe('second');
    expect(waits).toEqual([process.pid]);
  });

  it('stops waiting when told to', async () => {
    await withInstallLock(folder, { waitMs: 0 }, async () => {
      const controller = new AbortController();
      const waiting = withInstallLock(
        folder,
        { waitMs: 60_000, signal: controller.signal, onWait: () => controller.abort() },
        async () => 0,
      );
      await expect(waiting).rejects.toMatchObject({ code: 'ERR_JEM_INSTALL_FAILED' });
    });
  });

  it.each([
    ['a pid that is gone', () => ({ pid: 2 ** 22 + 1, startTicks: 1, place: here() })],
    ['a pid that another process has now', () => ({ pid: process.pid, startTicks: 1, place: here() })],
    ['a damaged file', () => 'half a lo'],
  ])('takes over from %s', async (_what, content) => {
    const value = content();
    writeFileSync(lock(), typeof value === 'string' ? value : JSON.stringify(value));
    await expect(take()).resolves.toBe('done');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves the lock of another machine or container alone until it is old', async () => {
    writeFileSync(lock(), JSON.stringify({ pid: 2 ** 22 + 1, startTicks: 1, place: 'elsewhere' }));
    await expect(take()).rejects.toMatchObject({ code: 'ERR_JEM_INSTALL_BUSY' });
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(lock(), longAgo, longAgo);
    await expect(take()).resolves.toBe('done');
  });
});
