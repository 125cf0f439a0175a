/** True where the locale says that the terminal reads UTF-8, by the variables' own order of precedence. */
export function readsUtf8(environment: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'darwin' && !environment['LC_ALL'] && !environment['LC_CTYPE'] && !environment['LANG'])
    return true;
  return /utf-?8/i.test(environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '');
}
