import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  captureAgentProfile,
  readAgentProfiler,
  startAgentProfiler,
  stopAgentProfiler,
} from '../../dist/control/agent/profile-agent.js';
import { openAgent } from '../../dist/sources/agent/open-agent.js';
import { readHeapProfile } from '../../dist/sources/heap-dump/read-profile.js';
import { findMisnamed } from './check-names.mjs';

const root = join(import.meta.dirname, '..', '..');
const PROGRAM = join(import.meta.dirname, 'program', 'main.cjs');
/** The end of a program under --stress-compaction on a busy machine. */
const PATIENCE_MS = 120_000;
const ENDS = { exit: 42, natural: 43, throw: 1, signal: 'SIGTERM' };

const after = (ms) => new Promise((done) => setTimeout(done, ms));

/** What each thread of a process is doing, as far as the kernel tells. */
function describeThreads(pid) {
  const read = (path) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '?';
    }
  };
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((id) =>
        [id, ...['comm', 'wchan', 'syscall'].map((name) => read(`/proc/${pid}/task/${id}/${name}`))].join(' '),
      )
      .join('\n');
  } catch {
    return '(gone)';
  }
}

/** Looks at the program from outside, all the time, as several people might at once. */
async function watch(pid, round, until) {
  const found = { captures: 0, refused: 0, wrong: [] };
  const opening = await openWhenThere(pid, until);
  if (!opening) return found;
  const path = join(round.folder, 'look.heap');
  try {
    while (!until.over) {
      const told = await captureAgentProfile(opening, path);
      if (told.kind === 'done') {
        found.captures++;
        found.wrong.push(...findMisnamed(await readHeapProfile(path)));
        if (found.wrong.length > 0) return found;
        rmSync(path);
      } else found.refused++;
      await readAgentProfiler(opening);
      if (round.start === 'agent') {
        await stopAgentProfiler(opening);
        await startAgentProfiler(opening, { threadPool: round.threadPool });
      }
      await Promise.race([after(300 + Math.random() * round.pauseMs), until.ended]);
    }
  } catch (error) {
    if (!until.over) throw error;
  } finally {
    opening.close();
  }
  return found;
}

async function openWhenThere(pid, until) {
  for (const last = Date.now() + 20_000; Date.now() < last && !until.over; await after(20)) {
    const opening = await openAgent(pid);
    if (opening.kind === 'open') return opening.agent;
  }
  if (until.over) return undefined;
  throw new Error(`process ${pid} has no agent`);
}

function environmentOf({ folder, agentFolder, start, threadPool, library, agent }) {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(LD_PRELOAD|MALLOC_CONF|JEMKIT_.*|NODE_OPTIONS|NODE_CHANNEL.*|VITEST.*)$/.test(name),
    ),
  );
  return {
    ...clean,
    LD_PRELOAD: `${library} ${agent}`,
    MALLOC_CONF: 'prof:true,prof_active:false,lg_prof_sample:10',
    JEMKIT_AGENT: '1',
    JEMKIT_AGENT_DIR: agentFolder,
    TMPDIR: folder,
    ...(start === 'environment' ? { JEMKIT_PROFILE: '1' } : {}),
    ...(threadPool ? { JEMKIT_PROFILE: '1', JEMKIT_PROFILE_THREAD_POOL: '1' } : {}),
  };
}

/**
 * Runs the program once. Gives what was found wrong, in sentences, and what was done. The folder is left where something was wrong.
 */
export async function runRound(round) {
  const { folder, node, flags, seconds, seed, addonPath, sharpPath, start, end, only } = round;
  const agentFolder = join(folder, 'agents');
  mkdirSync(agentFolder, { mode: 0o700 });
  const progress = join(folder, 'progress');
  const wish = {
    seconds,
    seed,
    addonPath,
    sharpPath,
    progress,
    end,
    only,
    library: start === 'library' ? pathToFileURL(join(root, 'dist', 'index.js')).href : undefined,
  };
  process.env.JEMKIT_AGENT_DIR = agentFolder;
  const args = ['--require', join(root, 'dist', 'profile.cjs'), ...flags, PROGRAM, JSON.stringify(wish)];
  const child = spawn(node, args, {
    cwd: folder,
    env: environmentOf({ ...round, agentFolder }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  let [stdout, stderr] = ['', ''];
  const until = { over: false };
  const heldLine = new Promise((done) => {
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (stdout.includes('\n')) done(true);
    });
  });
  child.stderr.on('data', (chunk) => {
    stderr = `${stderr}${chunk}`.slice(-20_000);
  });
  const ended = new Promise((done, fail) =>
    child.on('error', fail).on('close', (code, signal) => done(signal ?? code)),
  );
  ended.catch(() => {});
  until.ended = Promise.race([ended, heldLine]);
  until.ended.then(() => {
    until.over = true;
  });
  const wrong = [];
  const hang = setTimeout(
    () => {
      const lanes = existsSync(progress) ? readFileSync(progress, 'utf8').replaceAll('\n', ', ') : '';
      wrong.push(`it hangs, doing ${lanes || 'nothing'}:\n${describeThreads(child.pid)}`);
      child.kill('SIGABRT');
      setTimeout(() => child.kill('SIGKILL'), 5000).unref();
    },
    seconds * 1000 + PATIENCE_MS,
  );
  let watched = { captures: 0, refused: 0, wrong: [] };
  try {
    watched = await watch(child.pid, round, until);
    wrong.push(...watched.wrong);
    if (await Promise.race([heldLine, ended.then(() => false)]))
      wrong.push(...(await checkHeld(child.pid, round, stdout)));
  } catch (error) {
    wrong.push(`looking at it failed: ${error.stack}`);
  }
  child.stdin.end('end\n');
  const code = await ended;
  clearTimeout(hang);
  if (code !== ENDS[end] || !stdout.includes('\n'))
    wrong.push(`it ended with ${code}${stdout.includes('\n') ? '' : ', early'}, not with ${ENDS[end]}`);
  if (wrong.length > 0) wrong.push(`stderr: ${stderr.trim() || '(nothing)'}`);
  const told = stdout.includes('\n') ? JSON.parse(stdout.slice(0, stdout.indexOf('\n'))) : { counts: {}, holding: [] };
  // Those that checkHeld looked for.
  const held = start === 'agent' ? 0 : told.holding.reduce((sum, one) => sum + one.held, 0);
  return { wrong, counts: told.counts, held, captures: watched.captures };
}

/** Nothing moves any more: each function must have exactly what it holds. */
async function checkHeld(pid, round, stdout) {
  // Whoever switches sampling from outside does not know what was held meanwhile.
  if (round.start === 'agent') return [];
  const { holding } = JSON.parse(stdout.slice(0, stdout.indexOf('\n')));
  const agent = await openWhenThere(pid, { over: false });
  const path = join(round.folder, 'held.heap');
  try {
    const told = await captureAgentProfile(agent, path);
    if (told.kind !== 'done') return [`no last capture: ${JSON.stringify(told)}`];
    return findMisnamed(await readHeapProfile(path), holding);
  } finally {
    agent.close();
  }
}
