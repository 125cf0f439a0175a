/** The variable through which this system's loader takes libraries to load first. */
export function preloadVariable(platform: NodeJS.Platform = process.platform): 'LD_PRELOAD' | 'DYLD_INSERT_LIBRARIES' {
  return platform === 'darwin' ? 'DYLD_INSERT_LIBRARIES' : 'LD_PRELOAD';
}

/** The entries of a preload variable. glibc splits at spaces and colons, macOS at colons. */
export function parsePreload(value: string | undefined, platform: NodeJS.Platform = process.platform): string[] {
  return (value ?? '').split(platform === 'darwin' ? /:+/ : /[ :]+/).filter(Boolean);
}

/** Puts libraries in front of what is preloaded already, each once; nothing that was there is lost. */
export function prependPreload(paths: readonly string[], value: string | undefined): string {
  const rest = parsePreload(value).filter((entry) => !paths.includes(entry));
  return [...paths, ...rest].join(':');
}
