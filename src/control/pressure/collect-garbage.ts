import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * A full, synchronous collection of this isolate's heap, whether or not node was started with `--expose-gc`; false where V8
 * does not hand its collector out.
 */
export function collectGarbage(): boolean {
  if (!collect) {
    const exposed: unknown = (globalThis as { gc?: unknown }).gc;
    if (typeof exposed === 'function') collect = exposed as () => void;
    else {
      // The flag acts on contexts made after it; the running one stays as it is.
      setFlagsFromString('--expose-gc');
      const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
      setFlagsFromString('--no-expose-gc');
      if (typeof found !== 'function') return false;
      collect = found as () => void;
    }
  }
  collect();
  return true;
}
