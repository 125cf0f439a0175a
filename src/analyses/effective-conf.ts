import type { ConfOrigin, EffectiveOption, SetOption } from '../model/allocator-environment.js';
import { parseMallocConf } from '../model/malloc-conf.js';

/** What becomes of the options of several sources. */
export interface ConfOutcome {
  readonly effective: readonly EffectiveOption[];
  /** Pairs that jemalloc does not take, or does not come to. */
  readonly ignored: readonly SetOption[];
}

/**
 * The options that take effect, each with its source: of an option named twice, in one source or in several, the last wins.
 *
 * @param isRefused tells a pair that jemalloc will not take: it changes nothing.
 */
export function effectiveConf(
  origins: readonly ConfOrigin[],
  isRefused: (option: SetOption) => boolean = () => false,
): ConfOutcome {
  const effective = new Map<string, EffectiveOption>();
  const ignored: SetOption[] = [];
  for (const origin of origins) {
    for (const { key, value, reached } of parseMallocConf(origin.text).pairs) {
      const option = { key, value, origin };
      if (!reached || isRefused(option)) {
        ignored.push(option);
        continue;
      }
      const before = effective.get(key);
      effective.delete(key);
      effective.set(key, { ...option, overrides: before ? [...before.overrides, before.origin] : [] });
    }
  }
  return { effective: [...effective.values()], ignored };
}
