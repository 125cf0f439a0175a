import { readFileSync } from 'node:fs';
import type { ControlGroup } from '../../model/process.js';

/** Parses `/proc/PID/cgroup`; a line that is none is passed over. */
export function parseControlGroups(text: string): ControlGroup[] {
  const groups: ControlGroup[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (!match) continue;
    const [, hierarchy = '', controllers = '', path = ''] = match;
    groups.push({
      version: hierarchy === '0' && controllers === '' ? 2 : 1,
      controllers: controllers.split(',').filter(Boolean),
      path,
    });
  }
  return groups;
}

/** The control groups of a process. Throws the system's error. */
export function readControlGroups(pid: number | 'self'): ControlGroup[] {
  return parseControlGroups(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
}

/**
 * The systemd unit that a process belongs to (`web.service`), and whether it is a unit of a user's own manager; undefined for a
 * login session or where there is no systemd.
 */
export function systemdUnitOf(
  groups: readonly ControlGroup[],
): { readonly unit: string; readonly ofUser: boolean } | undefined {
  const group =
    groups.find((g) => g.controllers.includes('name=systemd') && g.path !== '/') ?? groups.find((g) => g.version === 2);
  const parts = group?.path.split('/') ?? [];
  const unit = parts.findLast((part) => /\.service$/.test(part) && !/^user@\d+\.service$/.test(part));
  return unit === undefined ? undefined : { unit, ofUser: parts.some((part) => /^user@\d+\.service$/.test(part)) };
}
