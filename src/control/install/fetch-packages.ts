import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { CommandLine } from '../../model/command-line.js';
import type { InstalledFile } from '../../model/installed-library.js';
import { type PackageDownload, type PackageNames, packagesOf } from '../../model/package-managers.js';
import { explainFailure } from './explain-failure.js';
import type { InstallProgress } from './install-options.js';
import { describeFile } from './present-library.js';
import { type CommandResult, commandFailed, mustRun, runCommand } from './run-command.js';

export interface FetchRequest {
  readonly download: PackageDownload;
  /** Names to try in turn. */
  readonly names: readonly PackageNames[];
  readonly development: boolean;
  /** Private and empty; everything happens in here. */
  readonly folder: string;
  readonly asRoot: boolean;
  /** Never the lists the system happens to have: they may be months old. */
  readonly newest: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: InstallProgress) => void;
}

/** Archives that were downloaded. */
export interface DownloadedPackages {
  readonly names: PackageNames;
  readonly version: string;
  readonly archives: readonly InstalledFile[];
  readonly commands: readonly CommandLine[];
}

/** Whether the system has package lists that this user can read. */
export function systemHasLists(folder: string | undefined): boolean {
  if (folder === undefined) return true;
  try {
    return readdirSync(folder).some((name) => name.includes('_Packages'));
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

function listsToTry(request: Pick<FetchRequest, 'download' | 'newest'>): ReadonlyArray<'system' | 'private'> {
  if (!request.download.refresh) return ['system'];
  return !request.newest && systemHasLists(request.download.systemLists) ? ['system', 'private'] : ['private'];
}

/** The commands of a fetch, in order, should all go well at the first try. Archives stand by pattern: their names are not known yet. */
export function planFetch(
  request: Pick<FetchRequest, 'download' | 'names' | 'development' | 'folder' | 'asRoot' | 'newest'>,
): CommandLine[] {
  const [names] = request.names;
  if (!names) return [];
  const { download, folder, asRoot } = request;
  const context = { folder, asRoot, lists: listsToTry(request)[0] ?? 'system' } as const;
  const packages = packagesOf(names, request.development);
  return [
    ...(context.lists === 'private' && download.refresh ? [download.refresh(context)] : []),
    download.download(context, packages),
    ...packages.flatMap((name) => download.extract(`${folder}/archives/${name}_VERSION`, `${folder}/root`)),
  ];
}

function archivesIn(folder: string, download: PackageDownload): string[] {
  return readdirSync(folder).filter((name) => download.parseArchiveName(name) !== undefined);
}

/** Out of date lists name versions that the servers no longer have: only then is a second try with fresh ones worth its time. */
function mayBeOutOfDate(result: CommandResult): boolean {
  return (
    /\b404\b/.test(result.output) || ['no-such-package', 'unverified'].includes(explainFailure(result.output).kind)
  );
}

/** Downloads the packages' archives, with the system's lists and then with private ones. */
export async function downloadPackages(request: FetchRequest): Promise<DownloadedPackages> {
  const { download, folder, asRoot, environment, signal, onProgress } = request;
  const archives = join(folder, 'archives');
  for (const name of ['archives', 'cache/archives/partial', 'lists/partial', 'root'])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(download.files))
    writeFileSync(join(folder, name), content, { mode: 0o600 });

  const commands: CommandLine[] = [];
  let failure: Error | undefined;
  for (const lists of listsToTry(request)) {
    const context = { folder, asRoot, lists };
    let refreshed: { readonly command: CommandLine; readonly result: CommandResult } | undefined;
    if (lists === 'private' && download.refresh) {
      const command = download.refresh(context);
      onProgress({ phase: 'lists', text: 'fetching package lists of our own' });
      commands.push(command);
      refreshed = { command, result: await runCommand(command, { environment, signal }) };
    }
    for (const names of request.names) {
      const packages = packagesOf(names, request.development);
      const command = download.download(context, packages);
      onProgress({ phase: 'download', text: `downloading ${packages.join(' and ')}` });
      commands.push(command);
      const result = await runCommand(command, { environment, folder: archives, signal });
      const found = archivesIn(archives, download);
      if (result.exitCode === 0 && found.length > 0) {
        const runtime = found.map(download.parseArchiveName).find((archive) => archive?.package === names.runtime);
        return {
          names,
          version: runtime?.version ?? '',
          archives: found.map((name) => describeFile(join(archives, name))),
          commands,
        };
      }
      const { kind } = explainFailure(result.output);
      // apt-get update says what went wrong and still ends with 0; then the download only says 'Unable to locate'.
      const earlier =
        refreshed && (refreshed.result.exitCode !== 0 || explainFailure(refreshed.result.output).kind !== 'other');
      failure =
        refreshed && earlier && kind === 'no-such-package'
          ? commandFailed('fetching package lists', refreshed.command, refreshed.result)
          : commandFailed(`downloading ${packages.join(' and ')}`, command, result);
      if (kind !== 'no-such-package') {
        if (!mayBeOutOfDate(result)) throw failure;
        break;
      }
    }
  }
  throw failure ?? new Error('no package names to try');
}

/** Unpacks what {@link downloadPackages} brought into `root`. */
export async function extractPackages(request: FetchRequest, fetched: DownloadedPackages): Promise<CommandLine[]> {
  const { download, folder, environment, signal, onProgress } = request;
  const commands: CommandLine[] = [];
  for (const { path } of fetched.archives) {
    onProgress({ phase: 'extract', text: `unpacking ${path}` });
    for (const command of download.extract(join(folder, 'archives', path), join(folder, 'root'))) {
      commands.push(command);
      await mustRun(`unpacking ${path}`, command, { environment, signal });
    }
  }
  return commands;
}
