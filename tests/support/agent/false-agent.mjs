// Listens where the agent of this process would, and does with a question what its first argument says. Prints 'ready', and 'asked'.
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';

const MAGIC = 0x4b4d454a;
const [, , behaviour, directory] = process.argv;
const folder = `${directory}/jemkit-${process.geteuid()}`;
mkdirSync(folder, { recursive: true, mode: 0o700 });

/** An answer to the greeting, which always has the first id. */
function answer({ version = 1, pid = process.pid, length } = {}) {
  const payload = Buffer.concat([Buffer.alloc(24), Buffer.from('9.9.9\0\0')]);
  payload.writeUInt32LE(pid, 0);
  const header = Buffer.alloc(20);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(version, 4);
  header.writeUInt16LE(1, 6);
  header.writeUInt32LE(1, 8);
  header.writeUInt32LE(length ?? payload.length, 16);
  return Buffer.concat([header, payload]);
}

const BEHAVIOURS = {
  version: (socket) => socket.write(answer({ version: 2 })),
  garbage: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
  half: (socket) => socket.write(answer().subarray(0, 30)),
  huge: (socket) => socket.write(answer({ length: 0xffff_ffff })),
  silent: () => {},
  hangs_up: (socket) => socket.destroy(),
  other_pid: (socket) => socket.write(answer({ pid: process.pid + 1 })),
};

createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => {
    console.log('asked');
    BEHAVIOURS[behaviour](socket);
  });
}).listen(`${folder}/${process.pid}.sock`, () => console.log('ready'));
