import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createSocketServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

async function listen(server: Server | ReturnType<typeof createSocketServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A file of apt configuration that changes nothing but what is given; its path is for APT_CONFIG. */
export function writeAptConfiguration(folder: string, options: Readonly<Record<string, string>>): string {
  const path = join(folder, 'apt.conf');
  writeFileSync(
    path,
    Object.entries(options)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  return path;
}

/** apt configuration of a system that has no package lists, as slim images are. */
export function withoutPackageLists(folder: string): Record<string, string> {
  const lists = join(folder, 'no-lists');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  return { 'Dir::State::lists': lists };
}

/** What one package of a {@link serveRepository} is. */
export interface ServedPackage {
  readonly fileName: string;
  readonly control: string;
  /** The bytes that the package list promises. */
  readonly promised: Buffer;
  /** The bytes that are sent. */
  readonly sent: Buffer;
}

/** A package source on this machine that may lie. `requests` are the paths that were asked for. */
export async function serveRepository(folder: string, served: ServedPackage, trusted: boolean) {
  const requests: string[] = [];
  const sha256 = createHash('sha256').update(served.promised).digest('hex');
  const list = `${served.control.trim()}\nFilename: ./${served.fileName}\nSize: ${served.promised.length}\nSHA256: ${sha256}\n\n`;
  const release = `Date: ${new Date().toUTCString()}\nSHA256:\n ${createHash('sha256').update(list).digest('hex')} ${list.length} Packages\n`;
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    requests.push(path);
    if (path.endsWith('/Packages')) response.end(list);
    else if (path.endsWith('/Release')) response.end(release);
    else if (path.endsWith('.deb')) response.end(served.sent);
    else response.writeHead(404).end();
  });
  const port = await listen(server);
  onTestFinished(() => void server.close());
  const sources = join(folder, 'sources.list');
  writeFileSync(sources, `deb ${trusted ? '[trusted=yes] ' : ''}http://127.0.0.1:${port} ./\n`);
  const options = {
    ...withoutPackageLists(folder),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Acquire::http::Proxy': 'DIRECT',
  };
  return { requests, configuration: writeAptConfiguration(folder, options) };
}

/** A proxy that takes connections and never answers: a download that hangs. */
export async function openSilentProxy() {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    // Unread, a socket never shows that its other end has closed.
    socket.resume();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    options: { 'Acquire::http::Proxy': url, 'Acquire::https::Proxy': url },
    /** Resolves when somebody is connected. */
    connected: () => once(server, 'connection'),
    /** Resolves when nobody is connected any more. */
    async deserted(): Promise<void> {
      while (sockets.size > 0) await Promise.all([...sockets].map((socket) => once(socket, 'close')));
    },
  };
}

/** The content of a file, or undefined where there is none. */
export function contentOf(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}
