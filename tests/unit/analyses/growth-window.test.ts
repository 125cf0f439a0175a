import { describe, expect, test } from 'vitest';
import { openGrowthWindow } from '../../../src/analyses/growth-window.js';
import { randomNumbers } from '../../support/random-numbers.js';

const MIB = 2 ** 20;
const MINUTE = 60_000;
const WINDOW_MS = 10 * MINUTE;

/** One value every two seconds; gives the answers with their minute. */
function answersOf(minutes: number, at: (minute: number) => number): { minute: number; perHour: number }[] {
  const window = openGrowthWindow(WINDOW_MS);
  const answers: { minute: number; perHour: number }[] = [];
  for (let ms = 0; ms <= minutes * MINUTE; ms += 2000) {
    const perHour = window.add(at(ms / MINUTE) * MIB, ms);
    if (perHour !== undefined) answers.push({ minute: ms / MINUTE, perHour: perHour / MIB });
  }
  return answers;
}

describe('the growth over a window', () => {
  test('is told when it has lasted, in bytes per hour, at most sixty times per window', () => {
    const random = randomNumbers(3);
    const answers = answersOf(30, (minute) => 200 + minute * 2 + random() * 3);
    const first = answers.find(({ perHour }) => perHour > 0);
    expect(first?.minute).toBeGreaterThanOrEqual(10);
    expect(first?.minute).toBeLessThan(12);
    for (const { minute, perHour } of answers) if (minute > 12) expect(Math.abs(perHour - 120)).toBeLessThan(24);
    expect(answers.length).toBeLessThanOrEqual(180);
  });

  test('is 0 for noise, and again after it has ended', () => {
    const random = randomNumbers(5);
    const noise = answersOf(60, () => 200 + random() * 20);
    expect(noise.every(({ perHour }) => perHour === 0)).toBe(true);
    const ended = answersOf(60, (minute) => 200 + Math.min(minute, 20) * 5 + random());
    expect(ended.some(({ perHour }) => perHour > 200)).toBe(true);
    expect(ended.filter(({ minute }) => minute > 35).every(({ perHour }) => perHour === 0)).toBe(true);
  });

  test('is 0 for what falls', () => {
    expect(answersOf(20, (minute) => 500 - minute * 6).every(({ perHour }) => perHour === 0)).toBe(true);
  });

  test('is not told before half of the window was seen', () => {
    expect(answersOf(4, (minute) => 200 + minute * 50)).toEqual([]);
  });
});
