import type { Terminal } from './terminal.js';

/**
 * Waits until it is time for the next look.
 *
 * @returns false, and at once, where nobody reads what is printed any more.
 */
export async function waitForNextLook(ms: number, terminal: Terminal): Promise<boolean> {
  if (terminal.readerGone) return false;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return true;
}
