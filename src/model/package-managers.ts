import type { PreloadableAllocator } from './allocator.js';
import type { CommandLine } from './command-line.js';
import type { Distribution } from './distribution.js';

export type PackageManagerName = 'apt' | 'apk' | 'dnf' | 'yum' | 'zypper' | 'pacman' | 'brew';

/** How one distribution calls an allocator's packages. */
export interface PackageNames {
  readonly runtime: string;
  /** Headers and static libraries; undefined where the runtime package holds them too. */
  readonly development: string | undefined;
}

/** What a download depends on. */
export interface DownloadContext {
  /** A private, empty folder: archives go to `archives`, private package lists to `lists`. */
  readonly folder: string;
  readonly asRoot: boolean;
  /** The lists the system has, or fresh ones of our own where it has none or they are out of date. */
  readonly lists: 'system' | 'private';
}

/** A package's archive by its file name. */
export interface ArchiveName {
  readonly package: string;
  readonly version: string;
}

/** How a manager gets a package to a user without root: the archive is downloaded and unpacked, and never registered. */
export interface PackageDownload {
  /** Every program it takes. */
  readonly programs: readonly string[];
  /** Files that the commands read: path inside the folder, and content. */
  readonly files: Readonly<Record<string, string>>;
  /** Fresh private lists; undefined where a download reads fresh ones by itself. */
  readonly refresh: ((context: DownloadContext) => CommandLine) | undefined;
  /** Runs in the `archives` folder. */
  readonly download: (context: DownloadContext, packages: readonly string[]) => CommandLine;
  /** Each runs in turn. */
  readonly extract: (archive: string, into: string) => readonly CommandLine[];
  /** Undefined for a file that is no archive of this manager. */
  readonly parseArchiveName: (fileName: string) => ArchiveName | undefined;
  /** Prints nothing; exit code 0 where the first version is newer. Undefined: a different version counts as newer. */
  readonly isNewer: ((version: string, than: string) => CommandLine) | undefined;
  /** Where the system keeps its package lists; undefined where a download needs none. */
  readonly systemLists: string | undefined;
  /** Who vouches for an archive. */
  readonly verifiedBy: string;
}

/** One package manager: its words for allocators, and its command lines. Nothing here runs anything. */
export interface PackageManager {
  readonly name: PackageManagerName;
  readonly program: string;
  /** `ID` and `ID_LIKE` of the systems whose own manager it is. */
  readonly distributions: readonly string[];
  /** Run on a real system by jemkit's tests; the others are built from documentation, their command lines recorded. */
  readonly tested: boolean;
  /** Names to try, the newest distribution's first; none where it is not known to offer the allocator. */
  readonly packages: Readonly<Record<PreloadableAllocator, readonly PackageNames[]>>;
  /** Undefined where an ordinary user has no verified way to get an archive. */
  readonly download: PackageDownload | undefined;
  readonly needsRoot: boolean;
  readonly install: (packages: readonly string[]) => CommandLine;
  /** Puts fresh files of installed packages in place of theirs. */
  readonly reinstall: (packages: readonly string[]) => CommandLine;
  /** Lists for `install` on a system that has none; undefined where `install` gets them. */
  readonly refreshSystem: CommandLine | undefined;
  readonly remove: (packages: readonly string[]) => CommandLine;
  readonly upgrade: (packages: readonly string[]) => CommandLine;
  /** Which package a file belongs to. */
  readonly owner: {
    readonly query: (paths: readonly string[]) => CommandLine;
    readonly parse: (output: string) => string | undefined;
  };
  /** The version of an installed package. */
  readonly installed: {
    readonly query: (name: string) => CommandLine;
    readonly parse: (output: string) => string | undefined;
  };
}

/** Hooks of the system's own configuration refresh system-wide caches: they have no business with private lists. */
const APT_CONFIGURATION = [
  '#clear APT::Update::Pre-Invoke;',
  '#clear APT::Update::Post-Invoke;',
  '#clear APT::Update::Post-Invoke-Success;',
  'Acquire::Languages "none";',
  'APT::Get::AllowUnauthenticated "false";',
  '',
].join('\n');

function aptOptions({ folder, asRoot, lists }: DownloadContext): string[] {
  return [
    '-q',
    '-c',
    `${folder}/apt.conf`,
    '-o',
    `Dir::Cache=${folder}/cache`,
    ...(lists === 'private' ? ['-o', `Dir::State::lists=${folder}/lists`] : []),
    // As root apt hands downloads to the user _apt, which cannot write into a private folder.
    ...(asRoot ? ['-o', 'APT::Sandbox::User=root'] : []),
  ];
}

const firstWord = (output: string) => /^\s*(\S+)/.exec(output)?.[1];

const rpmQueries: Pick<PackageManager, 'owner' | 'installed'> = {
  owner: {
    query: (paths) => ['rpm', '-qf', '--queryformat', '%{NAME}\n', ...paths],
    parse: (output) => /^([\w.+-]+)$/m.exec(output)?.[1],
  },
  installed: {
    query: (name) => ['rpm', '-q', '--queryformat', '%{VERSION}-%{RELEASE}\n', name],
    parse: (output) => (output.includes('not installed') ? undefined : firstWord(output)),
  },
};

function rpmDownload(download: readonly string[], programs: readonly string[]): PackageDownload {
  return {
    programs: [...programs, 'rpm2archive', 'tar'],
    files: {},
    refresh: undefined,
    download: ({ folder }, packages) => [...download, '--destdir', `${folder}/archives`, ...packages],
    extract: (archive, into) => [
      ['rpm2archive', archive],
      ['tar', '-xzf', `${archive}.tgz`, '-C', into],
    ],
    parseArchiveName: (fileName) => {
      const match = /^(.+)-([^-]+-[^-]+)\.[^.]+\.rpm$/.exec(fileName);
      return match?.[1] && match[2] ? { package: match[1], version: match[2] } : undefined;
    },
    isNewer: undefined,
    systemLists: undefined,
    verifiedBy: "the checksums in the repository's metadata",
  };
}

const FEDORA_PACKAGES: PackageManager['packages'] = {
  jemalloc: [{ runtime: 'jemalloc', development: 'jemalloc-devel' }],
  mimalloc: [{ runtime: 'mimalloc', development: 'mimalloc-devel' }],
  tcmalloc: [{ runtime: 'gperftools-libs', development: 'gperftools-devel' }],
};

/** The package managers jemkit knows, each distribution's own before those that are merely installed there. */
export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    name: 'apt',
    program: 'apt-get',
    distributions: ['debian', 'ubuntu'],
    tested: true,
    packages: {
      jemalloc: [{ runtime: 'libjemalloc2', development: 'libjemalloc-dev' }],
      mimalloc: [
        { runtime: 'libmimalloc3', development: 'libmimalloc-dev' },
        { runtime: 'libmimalloc2.0', development: 'libmimalloc-dev' },
      ],
      tcmalloc: [
        { runtime: 'libtcmalloc-minimal4t64', development: 'libgoogle-perftools-dev' },
        { runtime: 'libtcmalloc-minimal4', development: 'libgoogle-perftools-dev' },
      ],
    },
    download: {
      programs: ['apt-get', 'dpkg-deb'],
      files: { 'apt.conf': APT_CONFIGURATION },
      refresh: (context) => ['apt-get', ...aptOptions(context), 'update'],
      download: (context, packages) => ['apt-get', ...aptOptions(context), 'download', ...packages],
      extract: (archive, into) => [['dpkg-deb', '-x', archive, into]],
      parseArchiveName: (fileName) => {
        const match = /^([^_]+)_([^_]+)_[^_]+\.deb$/.exec(fileName);
        return match?.[1] && match[2] ? { package: match[1], version: match[2].replace(/%3a/gi, ':') } : undefined;
      },
      isNewer: (version, than) => ['dpkg', '--compare-versions', version, 'gt', than],
      systemLists: '/var/lib/apt/lists',
      verifiedBy: "the checksums in apt's signed package lists",
    },
    needsRoot: true,
    install: (packages) => ['apt-get', 'install', '-y', '--no-install-recommends', ...packages],
    reinstall: (packages) => ['apt-get', 'install', '-y', '--reinstall', '--no-install-recommends', ...packages],
    refreshSystem: ['apt-get', 'update'],
    remove: (packages) => ['apt-get', 'remove', ...packages],
    upgrade: (packages) => ['apt-get', 'install', '--only-upgrade', ...packages],
    owner: {
      query: (paths) => ['dpkg-query', '-S', ...paths],
      parse: (output) => /^([a-z0-9][a-z0-9.+-]+)(?::[a-z0-9-]+)?: \//m.exec(output)?.[1],
    },
    installed: {
      query: (name) => ['dpkg-query', '-W', '-f', `\${db:Status-Abbrev} \${Version}\n`, name],
      parse: (output) => /^.i\s+(\S+)/m.exec(output)?.[1],
    },
  },
  {
    name: 'apk',
    program: 'apk',
    distributions: ['alpine'],
    tested: false,
    packages: {
      jemalloc: [{ runtime: 'jemalloc', development: 'jemalloc-dev' }],
      mimalloc: [
        { runtime: 'mimalloc2', development: 'mimalloc2-dev' },
        { runtime: 'mimalloc', development: 'mimalloc-dev' },
      ],
      tcmalloc: [],
    },
    download: {
      programs: ['apk', 'tar'],
      files: {},
      refresh: undefined,
      // --no-cache reads a fresh index without writing the system's, which takes no root.
      download: ({ folder }, packages) => ['apk', '--no-cache', 'fetch', '--output', `${folder}/archives`, ...packages],
      extract: (archive, into) => [
        ['apk', 'verify', archive],
        ['tar', '-xzf', archive, '-C', into],
      ],
      parseArchiveName: (fileName) => {
        const match = /^(.+)-(\d[^-]*-r\d+)\.apk$/.exec(fileName);
        return match?.[1] && match[2] ? { package: match[1], version: match[2] } : undefined;
      },
      isNewer: undefined,
      systemLists: undefined,
      verifiedBy: "the package's signature, by apk verify",
    },
    needsRoot: true,
    install: (packages) => ['apk', '--no-cache', 'add', ...packages],
    reinstall: (packages) => ['apk', '--no-cache', 'fix', '--reinstall', ...packages],
    refreshSystem: undefined,
    remove: (packages) => ['apk', 'del', ...packages],
    upgrade: (packages) => ['apk', '--no-cache', 'add', '--upgrade', ...packages],
    owner: {
      query: (paths) => ['apk', 'info', '--who-owns', ...paths],
      parse: (output) => / is owned by (.+)-\d[^-\s]*-r\d+/.exec(output)?.[1],
    },
    installed: {
      query: (name) => ['apk', 'info', '-e', '-v', name],
      parse: (output) => /-(\d[^-\s]*-r\d+)/.exec(output)?.[1],
    },
  },
  {
    name: 'dnf',
    program: 'dnf',
    distributions: ['fedora', 'rhel', 'centos', 'amzn'],
    tested: false,
    packages: FEDORA_PACKAGES,
    download: rpmDownload(['dnf', 'download'], ['dnf']),
    needsRoot: true,
    install: (packages) => ['dnf', 'install', '-y', ...packages],
    reinstall: (packages) => ['dnf', 'reinstall', '-y', ...packages],
    refreshSystem: undefined,
    remove: (packages) => ['dnf', 'remove', ...packages],
    upgrade: (packages) => ['dnf', 'upgrade', ...packages],
    ...rpmQueries,
  },
  {
    name: 'yum',
    program: 'yum',
    distributions: ['rhel', 'centos', 'amzn'],
    tested: false,
    packages: FEDORA_PACKAGES,
    download: rpmDownload(['yumdownloader'], ['yumdownloader']),
    needsRoot: true,
    install: (packages) => ['yum', 'install', '-y', ...packages],
    reinstall: (packages) => ['yum', 'reinstall', '-y', ...packages],
    refreshSystem: undefined,
    remove: (packages) => ['yum', 'remove', ...packages],
    upgrade: (packages) => ['yum', 'update', ...packages],
    ...rpmQueries,
  },
  {
    name: 'zypper',
    program: 'zypper',
    distributions: ['suse', 'opensuse'],
    tested: false,
    packages: { jemalloc: [{ runtime: 'libjemalloc2', development: 'jemalloc-devel' }], mimalloc: [], tcmalloc: [] },
    download: undefined,
    needsRoot: true,
    install: (packages) => ['zypper', '--non-interactive', 'install', ...packages],
    reinstall: (packages) => ['zypper', '--non-interactive', 'install', '--force', ...packages],
    refreshSystem: undefined,
    remove: (packages) => ['zypper', 'remove', ...packages],
    upgrade: (packages) => ['zypper', 'update', ...packages],
    ...rpmQueries,
  },
  {
    name: 'pacman',
    program: 'pacman',
    distributions: ['arch'],
    tested: false,
    packages: {
      jemalloc: [{ runtime: 'jemalloc', development: undefined }],
      mimalloc: [{ runtime: 'mimalloc', development: undefined }],
      tcmalloc: [{ runtime: 'gperftools', development: undefined }],
    },
    download: undefined,
    needsRoot: true,
    install: (packages) => ['pacman', '-S', '--noconfirm', '--needed', ...packages],
    reinstall: (packages) => ['pacman', '-S', '--noconfirm', ...packages],
    refreshSystem: undefined,
    remove: (packages) => ['pacman', '-R', ...packages],
    // A single package is never upgraded on Arch: partial upgrades are not supported there.
    upgrade: () => ['pacman', '-Syu'],
    owner: { query: (paths) => ['pacman', '-Qoq', ...paths], parse: firstWord },
    installed: { query: (name) => ['pacman', '-Q', name], parse: (output) => /^\S+ (\S+)/.exec(output)?.[1] },
  },
  {
    name: 'brew',
    program: 'brew',
    distributions: ['macos'],
    tested: false,
    packages: {
      jemalloc: [{ runtime: 'jemalloc', development: undefined }],
      mimalloc: [{ runtime: 'mimalloc', development: undefined }],
      tcmalloc: [{ runtime: 'gperftools', development: undefined }],
    },
    download: undefined,
    needsRoot: false,
    install: (packages) => ['brew', 'install', ...packages],
    reinstall: (packages) => ['brew', 'reinstall', ...packages],
    refreshSystem: undefined,
    remove: (packages) => ['brew', 'uninstall', ...packages],
    upgrade: (packages) => ['brew', 'upgrade', ...packages],
    owner: {
      query: (paths) => [
        'brew',
        'list',
        '--versions',
        ...paths.map((path) => /\/Cellar\/([^/]+)\//.exec(path)?.[1] ?? path),
      ],
      parse: firstWord,
    },
    installed: {
      query: (name) => ['brew', 'list', '--versions', name],
      parse: (output) => /^\S+ .*?(\S+)$/m.exec(output)?.[1],
    },
  },
];

/**
 * The manager of a system: its distribution's own where that is there, else any that is. Homebrew counts on macOS only: beside a
 * Linux distribution's own manager its libraries bring a C library of their own.
 *
 * @param available names of the managers whose program was found.
 */
export function selectPackageManager(
  distribution: Distribution,
  available: readonly PackageManagerName[],
): PackageManager | undefined {
  const present = PACKAGE_MANAGERS.filter(({ name }) => available.includes(name));
  for (const id of [distribution.id, ...distribution.idLike]) {
    const own = present.find(({ distributions }) => id !== undefined && distributions.includes(id));
    if (own) return own;
  }
  return present.find(({ name }) => name !== 'brew');
}

/** The names of the packages that make up an installation. */
export function packagesOf(names: PackageNames, withDevelopment: boolean): string[] {
  return withDevelopment && names.development ? [names.runtime, names.development] : [names.runtime];
}

/** The allocator's own version in a package's: `5.3.0` of `1:5.3.0+ds-2ubuntu1`. */
export function upstreamVersion(packageVersion: string): string | undefined {
  return /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(packageVersion)?.[1];
}
