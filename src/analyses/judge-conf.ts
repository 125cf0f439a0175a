import type { ConfOrigin, SetOption } from '../model/allocator-environment.js';
import type { ConfFacts } from '../model/doctor-facts.js';
import type { Finding } from '../model/finding.js';
import { parseJemallocVersion } from '../model/jemalloc-version.js';
import { parseMallocConf } from '../model/malloc-conf.js';
import { checkMallocConf } from './check-malloc-conf.js';
import { effectiveConf } from './effective-conf.js';

/** A remedy may be a string to write, or a sentence: a sentence is no MALLOC_CONF. */
const remedyText = (remedy: string) => (parseMallocConf(remedy).problems.length === 0 ? `write ${remedy}` : remedy);

/**
 * The options of several sources together: which take effect, and what is wrong with each source's text.
 *
 * @param version of the jemalloc that will read them, as it says itself.
 * @param more findings of a real start with them.
 */
export function judgeConf(
  origins: readonly ConfOrigin[],
  version: string | undefined,
  platform: NodeJS.Platform,
  more: readonly Finding[] = [],
): ConfFacts {
  const known = version === undefined ? undefined : parseJemallocVersion(version);
  const checks = origins.map((origin) => ({
    origin,
    found: checkMallocConf(origin.text, { version: known, platform }),
  }));
  const findings = checks.flatMap(({ origin, found }) =>
    found.map(({ id, severity, title, cause, remedy }) => ({
      id,
      severity,
      title: `${origin.name}: ${title}`,
      ...(cause === undefined ? {} : { cause }),
      ...(remedy === undefined ? {} : { remedy: remedyText(remedy) }),
    })),
  );
  const isRefused = ({ key, origin }: SetOption) =>
    checks.some(
      (check) => check.origin === origin && check.found.some((f) => f.severity === 'problem' && f.key === key),
    );
  return { origins, ...effectiveConf(origins, isRefused), findings: [...findings, ...more], version: known };
}
