import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderForFile, launchEnvironment } from '../support/launching.js';
import { agentOf, childrenOf, socketFolder, until } from '../support/observed-program.js';
import { jem, temporaryFolder } from '../support/programs.js';
import { openJem } from '../support/running-program.js';
import { bytesOf, liveBytes, readSaved } from '../support/saved-profiles.js';

const folder = folderForFile();
const sockets = socketFolder(folder);
const env = { ...launchEnvironment(folder), JEMKIT_AGENT_DIR: sockets };
const MIB = 2 ** 20;

test('redis-server with data: its own functions have names', async () => {
  const out = temporaryFolder();
  const socket = join(out, 'redis.sock');
  const path = join(out, 'redis.pb.gz');
  const args = ['redis-server', '--port', '0', '--unixsocket', socket, '--save', '', '--dir', out];
  const program = openJem(['profile', '--sample-bytes', '16KiB', '-o', path, '--', ...args], { env });
  await until('its socket', () => existsSync(socket));
  const script = "for i=1,20000 do redis.call('set','key'..i,string.rep('x',500)) end";
  execFileSync('redis-cli', ['-s', socket, 'eval', script, '0']);
  const [inner = -1] = childrenOf(program.pid);
  (await agentOf(inner)).close();
  program.child.kill('SIGTERM');
  const { code, signal } = await program.finished;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  const saved = await readSaved(path);
  expect(liveBytes(saved)).toBeGreaterThan(10 * MIB);
  expect(bytesOf(saved, /^(zmalloc|sds)/) / liveBytes(saved)).toBeGreaterThan(0.9);
  expect(saved.capture.notes.join(' ')).not.toContain('JavaScript');
});

test('ruby, to its end', async () => {
  const path = join(temporaryFolder(), 'ruby.pb.gz');
  const code = "a = []; 10000.times { |i| a << ('x' * 2000 + i.to_s) }; puts a.size";
  const result = await jem(['profile', '--sample-bytes', '16KiB', '-o', path, '--', 'ruby', '-e', code], { env });
  expect(result).toMatchObject({ code: 0, stdout: '10000\n' });
  const saved = await readSaved(path);
  expect(liveBytes(saved)).toBeGreaterThan(15 * MIB);
  expect(bytesOf(saved, /^ruby_run_node$|^rb_/) / liveBytes(saved)).toBeGreaterThan(0.9);
});

const HOLD =
  'import time\ndef hold_them(): return [bytes(2000) for i in range(20000)]\nheld = hold_them()\ntime.sleep(0.8)\n';

test('python3 has freed what it held at its end, which is said; a peak has it', async () => {
  const out = temporaryFolder();
  const script = join(out, 'hold.py');
  writeFileSync(script, HOLD);
  const options = ['--sample-bytes', '16KiB', '-o', join(out, 'py.pb.gz')];
  const plain = await jem(['profile', ...options, '--', '/usr/bin/python3', script], { env });
  expect(plain).toMatchObject({ code: 0, stderr: expect.stringContaining('Python frees its objects before it ends') });
  expect(liveBytes(await readSaved(join(out, 'py.pb.gz')))).toBeLessThan(10 * MIB);
  const peak = await jem(['profile', '--at-peak', ...options, '--', '/usr/bin/python3', script], { env });
  expect(peak.code).toBe(0);
  expect(liveBytes(await readSaved(join(out, 'py-001.pb.gz')))).toBeGreaterThan(30 * MIB);
});

/** A Python that can name its functions while it runs; Debian 12 has none. */
const newPython = ['3.12.1', '3.13.0']
  .map((version) => join(homedir(), '.pyenv', 'versions', version, 'bin', 'python3'))
  .find((path) => existsSync(path));

test.runIf(newPython)('python 3.12 is asked for the names of its functions, and leaves no file', async () => {
  const out = temporaryFolder();
  const script = join(out, 'hold.py');
  writeFileSync(script, HOLD);
  const options = ['--at-peak', '--sample-bytes', '16KiB', '-o', join(out, 'py.pb.gz')];
  const { stderr } = await jem(['profile', ...options, '--', newPython!, script], { env });
  expect(stderr).toMatch(/^jem: PYTHONPERFSUPPORT=1/);
  const [, pid] = /process (\d+)/.exec(stderr) ?? [];
  expect(existsSync(`/tmp/perf-${pid}.map`)).toBe(false);
  const saved = await readSaved(join(out, 'py-001.pb.gz'));
  expect(bytesOf(saved, /hold_them|<listcomp>/) / liveBytes(saved)).toBeGreaterThan(0.9);
});

const JAVA = `import java.nio.ByteBuffer;
public class Hold {
  static ByteBuffer[] kept = new ByteBuffer[1000];
  static void holdDirect(int i) { kept[i] = ByteBuffer.allocateDirect(20000); }
  public static void main(String[] args) throws Exception {
    for (int round = 0; round < 20; round++) for (int i = 0; i < 1000; i++) holdDirect(i);
    System.out.println("ready");
    System.in.read();
  }
}`;

test('java: its methods have names, from its end and while it runs', async () => {
  const out = temporaryFolder();
  writeFileSync(join(out, 'Hold.java'), JAVA);
  execFileSync('javac', ['-d', out, join(out, 'Hold.java')]);
  const options = ['--sample-bytes', '64KiB', '-o', join(out, 'java.pb.gz')];
  const program = openJem(['profile', ...options, '--', 'java', '-Xmx64m', '-cp', out, 'Hold'], { env });
  expect(await program.line()).toBe('ready');
  const [inner = -1] = childrenOf(program.pid);
  (await agentOf(inner)).close();
  program.child.kill('SIGUSR2');
  await until('the capture', () => existsSync(join(out, 'java-001.pb.gz')));
  const { code, stderr } = await program.end('\n');
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^jem: -XX:\+PreserveFramePointer .*Java methods/),
  });
  for (const name of ['java-001.pb.gz', 'java.pb.gz']) {
    const saved = await readSaved(join(out, name));
    expect(bytesOf(saved, /Hold\.(holdDirect|main)|Interpreter/) / liveBytes(saved), name).toBeGreaterThan(0.5);
  }
  expect(existsSync(`/tmp/perf-${inner}.map`)).toBe(false);
});
