import { describe, expect, it } from 'vitest';
import { FRAME_KINDS } from '../../../../src/model/heap-profile.js';
import { openGraphPlace } from '../../../../src/outputs/flame-graph/client/graph-place.js';
import { matchKeys, openReport } from '../../../../src/outputs/flame-graph/client/report.js';
import { packProfile } from '../../../../src/outputs/flame-graph/pack-profile.js';
import { profileOf } from '../../../support/flame-graph-profiles.js';

function open() {
  const report = openReport(
    packProfile(
      profileOf([
        { stack: 'javascript:main > v8:call > javascript:load > native:alloc', liveBytes: 60 },
        { stack: 'javascript:main > v8:call > javascript:save', liveBytes: 30 },
        { stack: 'javascript:main > native:tiny', liveBytes: 1 },
        { stack: 'javascript:main > native:smaller', liveBytes: 0.5 },
      ]),
    ),
  );
  const place = openGraphPlace(report);
  const label = (node: number) => place.sums().view.keys.label[place.tree().key(node)] ?? 'all';
  const child = (name: string) => {
    const { first, count } = place.tree().children(place.zoomed());
    const found = Array.from({ length: count }, (_, at) => first + at).find((node) => label(node) === name);
    if (found === undefined) throw new Error(`no ${name} in ${label(place.zoomed())}`);
    return found;
  };
  const zoomIn = (...names: string[]) => {
    for (const name of names) place.zoomTo(child(name));
  };
  return { report, place, zoomIn, zoomed: () => label(place.zoomed()), way: () => place.path().map(label) };
}

describe('openGraphPlace', () => {
  it('zooms in, and back step by step', () => {
    const { place, zoomIn, zoomed, way } = open();
    zoomIn('main', 'call', 'load');
    expect(way()).toEqual(['main', 'call', 'load']);
    expect(place.shown()).toEqual({ from: 0, to: 60 });
    expect([place.back(), zoomed()]).toEqual([true, 'call']);
    expect([place.back(), zoomed()]).toEqual([true, 'main']);
    expect([place.back(), zoomed(), place.canReset()]).toEqual([true, 'all', false]);
    expect([place.back(), place.canGoBack()]).toEqual([false, false]);
  });

  it('keeps the place when other values are shown, and as much of it as is left when frames are hidden', () => {
    const { report, place, zoomIn, way } = open();
    zoomIn('main', 'call', 'load');
    report.choose({ metric: 'liveObjects' });
    place.refresh();
    expect(way()).toEqual(['main', 'call', 'load']);
    report.choose({ treatments: FRAME_KINDS.map((kind) => (kind === 'v8' ? 'hide' : 'show')) });
    place.refresh();
    expect(way()).toEqual(['main']);
  });

  it('focuses on a function, and leaves it', () => {
    const { place, way, zoomed } = open();
    const key = place.sums().view.keys.label.indexOf('load');
    place.focusOn('function', key, 'callers');
    expect(place.tree().value(0)).toBe(60);
    expect(place.look().focus?.label).toBe('load');
    expect(place.canReset()).toBe(true);
    place.reset();
    expect([place.look().focus, place.tree().value(0), way(), zoomed()]).toEqual([undefined, 91.5, [], 'all']);
    place.back();
    expect(place.tree().value(0)).toBe(60);
  });

  it('zooms into what is too narrow to be drawn, and moves freely, each one step back', () => {
    const { place, zoomIn, zoomed } = open();
    zoomIn('main');
    place.zoomIntoRest(place.zoomed(), 2);
    expect(place.shown()).toEqual({ from: 90, to: 91.5 });
    place.moveTo({ from: 90, to: 91 });
    place.moveTo({ from: 90, to: 90.5 });
    expect(place.shown()).toEqual({ from: 90, to: 90.5 });
    place.back();
    expect([place.shown(), zoomed()]).toEqual([{ from: 0, to: 91.5 }, 'main']);
  });
});

describe('matchKeys', () => {
  it.each([
    ['LOAD', ['load']],
    ['/^(load|save)$/', ['load', 'save']],
    ['/^(load|save)\\b/', ['load', 'save']],
    ['/(/', []],
    ['  ', []],
  ])('%s finds %j', (wanted, expected) => {
    const { place } = open();
    const { view } = place.sums();
    const matched = matchKeys(view, wanted);
    expect(view.keys.label.filter((_, key) => matched[key] === 1)).toEqual(expected);
  });
});
