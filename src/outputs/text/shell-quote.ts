/** A word as a POSIX shell reads it back unchanged. */
export function quoteForShell(word: string): string {
  return /^[A-Za-z0-9_/.:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
