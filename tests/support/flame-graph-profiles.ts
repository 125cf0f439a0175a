import type { FrameKind, HeapProfile } from '../../src/model/heap-profile.js';
import { type FrameInput, openProfileBuilder } from '../../src/model/heap-profile-builder.js';

/** A stack as one line, the first caller first: `kind:name|file:line`, with `>` between frames. */
export interface StackLine {
  readonly stack: string;
  readonly liveBytes: number;
  readonly liveObjects?: number;
  readonly thread?: string;
  readonly allocatedBytes?: number;
}

const FACTS: HeapProfile['capture'] = {
  format: 'jemalloc heap_v2',
  takenAtMs: 1_790_000_000_000,
  durationMs: undefined,
  pid: 4242,
  program: 'node server.js',
  nodeVersion: 'v24.1.0',
  jemallocVersion: '5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c',
  sampleBytes: 524_288,
  unwinder: 'jemkit',
  statistics: undefined,
  sizeClasses: undefined,
  notes: [],
};

function parseFrame(text: string): FrameInput {
  const [, kind, name = '', place = ''] = /^([a-z0-9-]+):([^|]*)(?:\|(.*))?$/s.exec(text) ?? [];
  const [, file = '', line = '0'] = /^(.*?)(?::(\d+))?$/s.exec(place) ?? [];
  const isNative = /\.so|\.node$|bin\//.test(file);
  return {
    kind: kind as FrameKind,
    name,
    ...(isNative
      ? { module: file }
      : { file, line: Number(line), functionLine: Math.max(1, Number(line) - (Number(line) % 30)) }),
  };
}

/** A profile of these stacks. */
export function profileOf(lines: readonly StackLine[], facts: Partial<HeapProfile['capture']> = {}): HeapProfile {
  const builder = openProfileBuilder();
  for (const { stack, liveBytes, liveObjects = Math.ceil(liveBytes / 65_536), thread, allocatedBytes } of lines) {
    const frames = stack
      .split('>')
      .map((frame) => builder.frame(parseFrame(frame.trim())))
      .reverse();
    builder.sample({
      stack: builder.stack(frames),
      thread,
      liveBytes,
      liveObjects,
      sampledObjects: Math.max(1, Math.round(liveBytes / 524_288)),
      ...(allocatedBytes === undefined ? {} : { allocatedBytes, allocatedObjects: Math.ceil(allocatedBytes / 65_536) }),
    });
  }
  return builder.build({ ...FACTS, ...facts });
}

const MIB = 2 ** 20;
const APP = '/srv/shop/src';
const START =
  'node:node::Start|/usr/bin/node > node:node::SpinEventLoop|/usr/bin/node > node:uv_run|/usr/bin/node > node-javascript:processTicksAndRejections|node:internal/process/task_queues:105';
const REQUEST = `${START} > javascript:Server.onRequest|/srv/shop/node_modules/fastify/lib/server.js:88 > javascript:handler|${APP}/routes.ts:31`;
const BUFFER =
  'node-javascript:Buffer.from|node:buffer:319 > v8:Builtins_CallFunction|/usr/bin/node > node:node::Buffer::New|/usr/bin/node > v8:v8::ArrayBuffer::New|/usr/bin/node';

function shopLines(scale: (name: string) => number): StackLine[] {
  const line = (stack: string, mib: number, thread?: string): StackLine => ({
    stack,
    liveBytes: mib * MIB,
    allocatedBytes: mib * MIB * 6,
    ...(thread === undefined ? {} : { thread }),
  });
  return [
    line(`${REQUEST} > javascript:loadCatalog|${APP}/catalog.ts:42 > ${BUFFER}`, 180 * scale('catalog'), 'main'),
    line(`${REQUEST} > javascript:loadCatalog|${APP}/catalog.ts:57 > ${BUFFER}`, 40 * scale('catalog'), 'main'),
    line(
      `${REQUEST} > javascript:renderCard|${APP}/card.ts:12 > javascript:toBuffer|/srv/shop/node_modules/sharp/lib/output.js:163 > native:sharp::Pipeline|/srv/shop/node_modules/@img/sharp-linux-x64/lib/sharp.node > native:vips_image_new_memory|/srv/shop/node_modules/@img/sharp-libvips-linux-x64/lib/libvips-cpp.so.42 > libc:g_malloc|/usr/lib/libglib-2.0.so.0`,
      96 * scale('sharp'),
      'main',
    ),
    line(
      `marker:(asynchronous) > ${REQUEST} > javascript:renderCard|${APP}/card.ts:19 > marker:(thread pool) > native:sharp::Pipeline::Execute|/srv/shop/node_modules/@img/sharp-linux-x64/lib/sharp.node > native:vips_region_prepare|/srv/shop/node_modules/@img/sharp-libvips-linux-x64/lib/libvips-cpp.so.42`,
      64 * scale('sharp'),
      'worker',
    ),
    line(
      `${REQUEST} > javascript:query|${APP}/store.ts:77 > javascript:Statement.all|/srv/shop/node_modules/better-sqlite3/lib/statement.js:20 > native:Statement::JS_all|/srv/shop/node_modules/better-sqlite3/build/Release/better_sqlite3.node > native:sqlite3_step|/srv/shop/node_modules/better-sqlite3/build/Release/better_sqlite3.node > native:pcache1Alloc|/srv/shop/node_modules/better-sqlite3/build/Release/better_sqlite3.node`,
      58 * scale('sqlite'),
      'main',
    ),
    line(
      `${REQUEST} > javascript:compress|${APP}/gzip.ts:9 > node-javascript:Gzip|node:zlib:640 > node:node::zlib::Init|/usr/bin/node > libc:deflateInit2_|/usr/lib/libz.so.1`,
      34 * scale('gzip'),
      'main',
    ),
    line(
      `${START} > wasm:parse|/srv/shop/node_modules/llhttp/llhttp.wasm > v8:v8::WasmMemoryObject::Grow|/usr/bin/node`,
      18 * scale('wasm'),
      'main',
    ),
    line(
      `marker:(thread pool) > libc:start_thread|/usr/lib/libc.so.6 > node:node::fs::ReadFile|/usr/bin/node > libc:operator new|/usr/lib/libstdc++.so.6`,
      22 * scale('fs'),
      'worker',
    ),
    line(
      `${START} > v8:v8::internal::Heap::Setup|/usr/bin/node > v8:v8::internal::Zone::Expand|/usr/bin/node`,
      27 * scale('v8'),
      'main',
    ),
    line(`node:main|/usr/bin/node > v8:v8::Isolate::New|/usr/bin/node > unknown:|/usr/lib/libunknown.so.1`, 8, 'main'),
  ].filter(({ liveBytes }) => liveBytes > 0);
}

/** A small shop: fastify, sharp, better-sqlite3, zlib, some thread pool. */
export function shopProfile(): HeapProfile {
  return profileOf(
    shopLines(() => 1),
    {
      notes: [
        '12 of 81,234 stacks were truncated at 128 frames.',
        'libunknown.so.1 has no symbols: its functions are shown by address.',
      ],
      statistics: { 'stats.allocated': 560 * MIB, 'stats.active': 601 * MIB, 'stats.resident': 655 * MIB },
    },
  );
}

/** The shop an hour before: a smaller catalogue, more gzip, no WebAssembly. */
export function earlierShopProfile(): HeapProfile {
  const scales: Readonly<Record<string, number>> = { catalog: 0.3, sharp: 0.9, gzip: 2.4, wasm: 0, v8: 1, fs: 1.6 };
  const gone: StackLine = {
    stack: `${REQUEST} > javascript:warmUp|${APP}/warm-up.ts:5 > ${BUFFER}`,
    liveBytes: 30 * MIB,
    allocatedBytes: 30 * MIB,
    thread: 'main',
  };
  return profileOf([...shopLines((name) => scales[name] ?? 1), gone], { takenAtMs: 1_789_996_400_000 });
}

/** A profile of many different stacks, deep and of few functions as real ones are. */
export function hugeProfile(stackCount: number, seed = 1): HeapProfile {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const kinds: readonly FrameKind[] = ['javascript', 'javascript', 'node-javascript', 'native', 'node', 'v8', 'libc'];
  const builder = openProfileBuilder();
  const frames = Array.from({ length: 20_000 }, (_, at) =>
    builder.frame({
      name: `function_${at.toString(36)}`,
      kind: kinds[at % kinds.length] ?? 'unknown',
      file: at % 7 < 2 ? `/srv/app/node_modules/package-${at % 211}/lib/file-${at % 997}.js` : '',
      line: 1 + (at % 400),
      functionLine: 1 + (at % 390),
      module: `/usr/lib/lib${at % 37}.so`,
    }),
  );
  // Every stack branches from one before it, so that beginnings are shared as in a program.
  const known: number[][] = [[frames[0] ?? 0]];
  for (let at = 0; at < stackCount; at++) {
    const origin = known[Math.floor(random() ** 2 * known.length)] ?? [];
    const kept = origin.slice(0, 1 + Math.floor(random() * origin.length));
    const added = Array.from(
      { length: 1 + Math.floor(random() * 12) },
      () => frames[Math.floor(random() ** 3 * frames.length)] ?? 0,
    );
    const stack = [...kept, ...added].slice(0, 60);
    known.push(stack);
    const liveBytes = Math.floor(64 + random() ** 8 * 4_000_000);
    builder.sample({
      stack: builder.stack(stack.slice().reverse()),
      liveBytes,
      liveObjects: 1 + Math.floor(random() * 40),
      sampledObjects: 1,
    });
  }
  return builder.build(FACTS);
}
