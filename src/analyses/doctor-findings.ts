import type { CommandFacts, DoctorFacts, ProcessFacts } from '../model/doctor-facts.js';
import type { Finding } from '../model/finding.js';
import { explainAllocator } from './explain-allocator.js';
import { entryFindings, hostFindings, machineFindings, probeFindings } from './machine-findings.js';

const SEVERITIES: ReadonlyArray<Finding['severity']> = ['problem', 'warning', 'info'];

function processFindings(facts: ProcessFacts): Finding[] {
  const { identity, variables } = facts;
  const findings = [...explainAllocator(facts), ...facts.conf.findings];
  if (identity.kind !== 'identified') return findings;
  const conf = variables?.['MALLOC_CONF'];
  const all = [identity, ...identity.beside].filter(
    ({ allocator, standing }) => allocator === 'jemalloc' && standing !== 'not-serving',
  );
  if (conf !== undefined && all.length === 0) {
    findings.push({
      id: 'conf-without-jemalloc',
      severity: 'warning',
      title: `MALLOC_CONF is set (${conf}), but nobody reads it`,
      cause: 'only jemalloc does, and it does not serve this process',
    });
  }
  const [first] = all;
  if (conf !== undefined && first && first.prefix !== '') {
    findings.push({
      id: 'conf-of-another-name',
      severity: 'warning',
      title: `MALLOC_CONF is set, but this jemalloc reads ${first.prefix.toUpperCase()}MALLOC_CONF only`,
      cause: `it was built with the prefix ${first.prefix}`,
      remedy: `set ${first.prefix.toUpperCase()}MALLOC_CONF=${conf}`,
    });
  }
  if (facts.secure && all.length > 0 && variables?.['MALLOC_CONF'] !== undefined) {
    findings.push({
      id: 'conf-ignored',
      severity: 'warning',
      title: 'MALLOC_CONF is ignored',
      cause: 'the program is setuid, setgid or has file capabilities (AT_SECURE)',
      remedy: 'put the options into the link /etc/malloc.conf: ln -s OPTIONS /etc/malloc.conf',
    });
  }
  return [...findings, ...hostFindings(facts.host)];
}

function commandFindings({ plan, smoke, entries, conf }: CommandFacts): Finding[] {
  const findings: Finding[] = [];
  if (plan.fallback) {
    findings.push({
      id: plan.fallback.reason,
      severity: 'problem',
      title: `it would start with the system allocator: ${plan.fallback.cause}`,
      remedy: plan.fallback.remedy,
    });
  }
  if (plan.library && smoke) {
    findings.push(...probeFindings(smoke, plan.library.path, plan.program.interpreter));
    if (smoke.kind === 'untried') {
      findings.push({ id: 'not-tried', severity: 'warning', title: `the launch was not tried: ${smoke.reason}` });
    }
  }
  return [...findings, ...entryFindings(entries), ...conf.findings];
}

function findingsOf(facts: DoctorFacts): Finding[] {
  switch (facts.kind) {
    case 'machine':
      return machineFindings(facts);
    case 'process':
      return processFindings(facts);
    case 'command':
      return commandFindings(facts);
  }
}

/** All that is to be said about what doctor found, problems first. */
export function doctorFindings(facts: DoctorFacts): Finding[] {
  return findingsOf(facts).sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
