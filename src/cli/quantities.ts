import { InvalidArgumentError } from 'commander';
import { DURATION_FORMS, parseDuration } from '../model/duration.js';

/** Reads an option's length of time, in milliseconds. */
export function durationOption(minimumMs: number, maximumMs: number) {
  return (text: string): number => {
    const ms = parseDuration(text);
    if (ms === undefined) throw new InvalidArgumentError(`expected a length of time: ${DURATION_FORMS}.`);
    if (ms < minimumMs || ms > maximumMs) {
      throw new InvalidArgumentError(`expected from ${minimumMs / 1000} to ${maximumMs / 1000} seconds.`);
    }
    return ms;
  };
}
