import { describe, expect, test } from 'vitest';
import { openEventSource } from '../../../../src/control/memory/memory-events.js';

interface Events {
  ping: number;
  other: string;
}

function open() {
  const failures: unknown[] = [];
  const source = openEventSource<Events>((name, error) => failures.push([name, (error as Error).message]));
  return { source, failures };
}

describe('events', () => {
  test('reach listeners in order; once is once, off takes the last of equal ones away', () => {
    const { source } = open();
    const seen: string[] = [];
    const listener = (value: number) => seen.push(`a${value}`);
    source.on('ping', listener);
    source.on('ping', listener);
    source.once('ping', (value) => seen.push(`once${value}`));
    source.emit('ping', 1);
    source.off('ping', listener);
    source.off('ping', () => {});
    source.emit('ping', 2);
    expect(seen).toEqual(['a1', 'a1', 'once1', 'a2']);
    expect([source.count('ping'), source.count('other'), source.count()]).toEqual([1, 0, 1]);
    source.clear();
    source.emit('ping', 3);
    expect(seen).toHaveLength(4);
  });

  test('a once listener by the same function as another is the one taken off', () => {
    const { source } = open();
    let calls = 0;
    const listener = () => calls++;
    source.once('ping', listener);
    source.off('ping', listener);
    source.emit('ping', 1);
    expect(calls).toBe(0);
  });

  test('listeners added or taken off meanwhile do not disturb those that are called', () => {
    const { source } = open();
    const seen: string[] = [];
    const second = () => seen.push('second');
    source.on('ping', () => {
      seen.push('first');
      source.off('ping', second);
      source.on('ping', () => seen.push('late'));
    });
    source.on('ping', second);
    source.emit('ping', 1);
    expect(seen).toEqual(['first', 'second']);
  });

  test('a listener that fails is told of once, and the others are called', async () => {
    const { source, failures } = open();
    let calls = 0;
    source.on('ping', () => {
      throw new Error('broken');
    });
    source.on('ping', async () => {
      throw new Error('broken later');
    });
    source.on('ping', () => calls++);
    source.emit('ping', 1);
    source.emit('ping', 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(2);
    expect(failures).toEqual([
      ['ping', 'broken'],
      ['ping', 'broken later'],
    ]);
  });
});
