import type { BufferFacts } from '../../model/node-facts.js';
import { readBufferPoolBytes } from './read-node-facts.js';

// Asked for only where somebody wants to know: it loads V8's inspector.
type Inspector = typeof import('node:inspector');

interface RemoteObject {
  readonly objectId?: string;
  readonly value?: unknown;
}

type Post = (method: string, parameters: object) => Record<string, RemoteObject>;

/**
 * Runs inside the isolate on the array of all living views. Its source is handed to the inspector, so it uses nothing from around it.
 * `Buffer.prototype` is a view's prototype like any other.
 */
function sumUp(this: readonly ArrayBufferView[], poolBytes: number) {
  const ranges = new Map<ArrayBufferLike, number[]>();
  for (const view of this) {
    // Prototypes answer a query for themselves, and have no buffer.
    if (!ArrayBuffer.isView(view) || view.byteLength === 0) continue;
    const known = ranges.get(view.buffer);
    if (known) known.push(view.byteOffset, view.byteOffset + view.byteLength);
    else ranges.set(view.buffer, [view.byteOffset, view.byteOffset + view.byteLength]);
  }
  /** Bytes that some view covers; where views overlap, once. */
  const covered = (flat: readonly number[]) => {
    if (flat.length === 2) return (flat[1] as number) - (flat[0] as number);
    const pairs: [number, number][] = [];
    for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] as number, flat[i + 1] as number]);
    pairs.sort((a, b) => a[0] - b[0]);
    let end = 0;
    let total = 0;
    for (const [from, to] of pairs) {
      if (to > end) total += to - Math.max(from, end);
      end = Math.max(end, to);
    }
    return total;
  };
  const sums = { arrayBuffers: 0, arrayBuffersBytes: 0, viewedBytes: 0, pools: 0, poolBytes: 0, poolViewedBytes: 0 };
  for (const [{ byteLength }, flat] of ranges) {
    const viewed = covered(flat);
    sums.arrayBuffers++;
    sums.arrayBuffersBytes += byteLength;
    sums.viewedBytes += viewed;
    if (byteLength === poolBytes) {
      sums.pools++;
      sums.poolBytes += byteLength;
      sums.poolViewedBytes += viewed;
    }
  }
  return sums;
}

/**
 * Counts the ArrayBuffers of this isolate that living typed arrays (Buffers are such) show, and the bytes they cover, exactly. V8 collects garbage and
 * walks its heap, in which JavaScript stands still: 0.4 s of processor time for each million objects. Undefined where this Node has no
 * inspector.
 */
export function measureBuffers(): BufferFacts | undefined {
  const inspector = process.getBuiltinModule('node:inspector') as Inspector | undefined;
  if (!inspector?.Session) return undefined;
  const session = new inspector.Session();
  session.connect();
  const post: Post = (method, parameters) => {
    let answer: Record<string, RemoteObject> | undefined;
    // Answers of one's own isolate come before the call returns.
    session.post(method, parameters, (error, result) => {
      if (!error) answer = result as Record<string, RemoteObject>;
    });
    if (!answer || answer['exceptionDetails']) throw new Error(`the inspector gave no answer to ${method}`);
    return answer;
  };
  const objectGroup = 'jemkit';
  try {
    const expression = 'Object.getPrototypeOf(Uint8Array.prototype)';
    const prototypeObjectId = post('Runtime.evaluate', { expression, objectGroup })['result']?.objectId;
    const views = post('Runtime.queryObjects', { prototypeObjectId, objectGroup })['objects']?.objectId;
    const result = post('Runtime.callFunctionOn', {
      objectId: views,
      functionDeclaration: sumUp.toString(),
      arguments: [{ value: readBufferPoolBytes() }],
      returnByValue: true,
      objectGroup,
    })['result']?.value;
    return { atMs: Date.now(), ...(result as Omit<BufferFacts, 'atMs'>) };
  } finally {
    session.disconnect();
  }
}
