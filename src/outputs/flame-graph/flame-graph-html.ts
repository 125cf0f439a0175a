import type { CaptureFacts, HeapProfile } from '../../model/heap-profile.js';
import { escapeMarkup } from '../svg/markup.js';
import { CLIENT } from './client-code.js';
import { encodePacked } from './encode-packed.js';
import { packProfile } from './pack-profile.js';
import type { Metric } from './packed-profile.js';
import { captureRows, formatMoment } from './report-words.js';
import { shownText } from './shown-text.js';

export interface FlameGraphOptions {
  readonly title: string;
  /** An earlier profile: what is shown then is what has changed since. */
  readonly base?: HeapProfile | undefined;
  /** What is shown first; live bytes where it is left out or was not recorded. */
  readonly metric?: Metric | undefined;
}

/** Data inside a script element: nothing in it may end the element or begin a comment. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

const shown = (text: string) => escapeMarkup(shownText(text));

function renderFacts(heading: string, capture: CaptureFacts): string {
  const rows = captureRows(capture).map(([name, value]) => `<dt>${shown(name)}</dt><dd>${shown(value)}</dd>`);
  const notes = capture.notes.map((note) => `<li>${shown(note)}</li>`);
  const list = notes.length > 0 ? `<ul class="notes">${notes.join('')}</ul>` : '<p class="soft">No notes.</p>';
  return `<div class="facts"><h3>${heading}</h3><dl>${rows.join('')}</dl><h4>Notes</h4>${list}</div>`;
}

function subtitle(capture: CaptureFacts): string {
  const parts = [
    capture.program,
    capture.pid === undefined ? undefined : `pid ${capture.pid}`,
    capture.takenAtMs === undefined ? undefined : formatMoment(capture.takenAtMs),
    capture.nodeVersion && `Node.js ${capture.nodeVersion}`,
    capture.jemallocVersion && `jemalloc ${capture.jemallocVersion.split('-')[0]}`,
  ];
  return parts.filter(Boolean).join(' · ');
}

/** A group of buttons of which one is chosen; the page's script fills it. */
const choice = (id: string, label: string) =>
  `<div class="choice" id="${id}" role="radiogroup" aria-label="${label}"></div>`;

function renderBody({ title, base }: FlameGraphOptions, { capture }: HeapProfile): string {
  const notes = capture.notes.length + (base?.capture.notes.length ?? 0);
  return `<header>
<div class="head"><h1>${shown(title)}</h1><p class="soft" id="subtitle">${shown(subtitle(capture))}</p></div>
<div class="totals" id="totals"></div>
</header>
<noscript><p class="notice">This report draws itself with its own script, which this browser does not run. Its notes are below.</p></noscript>
<p class="notice" id="failure" role="alert" hidden></p>
<div class="bar" id="bar" hidden>
<div class="tabs" role="tablist" aria-label="Views">
<button type="button" role="tab" id="tab-graph" aria-controls="panel-graph">Flame graph</button>
<button type="button" role="tab" id="tab-table" aria-controls="panel-table">Table</button>
<button type="button" role="tab" id="tab-capture" aria-controls="panel-capture">Capture${notes > 0 ? ` <span class="badge">${notes}<span class="unseen"> notes</span></span>` : ''}</button>
</div>
<label class="field">Values <select id="metric"></select></label>
<label class="field" id="thread-field" hidden>Thread <select id="thread"></select></label>
${base ? choice('widths', 'Widths') + choice('colours', 'Colours of boxes') : ''}
<span class="spring"></span>
<div class="search"><input type="search" id="search" placeholder="Search  (press /)" aria-label="Search functions, files, modules" autocomplete="off" spellcheck="false"><output id="found" for="search"></output></div>
<button type="button" class="quiet" id="theme" aria-label="Colours"></button>
<button type="button" class="quiet" id="help" aria-label="Keys" aria-expanded="false" aria-controls="keys">?</button>
</div>
<div class="keys" id="keys" hidden></div>
<div class="legend" id="legend" role="group" aria-label="Kinds of frames" hidden></div>
<section class="panel" id="panel-graph" role="tabpanel" aria-labelledby="tab-graph" hidden>
<div class="tools">${choice('direction', 'Order')}${choice('orientation', 'Orientation')}<label class="field">Boxes <select id="granularity"></select></label>
<span class="spring"></span><button type="button" class="quiet" id="back" disabled>← Back</button><button type="button" class="quiet" id="reset" disabled>Show all</button></div>
<nav class="crumbs" id="crumbs" aria-label="Zoomed into"></nav>
<div class="scroller" id="scroller"><div class="sizer" id="sizer"><canvas id="canvas" tabindex="0" role="application" aria-roledescription="flame graph" aria-label="Flame graph. Arrow keys move, Enter zooms, Escape goes back; the tab Table has the same as a table." aria-describedby="current"></canvas></div></div>
<p class="current" id="current" aria-live="polite"></p>
<div class="tip" id="tip" role="tooltip" hidden></div>
</section>
<section class="panel" id="panel-table" role="tabpanel" aria-labelledby="tab-table" hidden>
<div class="tools">${choice('table-by', 'Rows')}<input type="search" id="filter" placeholder="Filter rows" aria-label="Filter rows" autocomplete="off" spellcheck="false"><span class="soft" id="row-count"></span></div>
<div class="split"><div class="rows" id="rows"></div><aside id="chosen" aria-live="polite"></aside></div>
</section>
<section id="panel-capture" role="tabpanel" aria-labelledby="tab-capture">
<div class="captures">${renderFacts(base ? 'This profile' : 'The capture', capture)}${base ? renderFacts('Compared with', base.capture) : ''}</div>
</section>`;
}

/**
 * Renders a profile as one page with a flame graph and tables. It loads nothing, and its content security policy allows nothing but its own
 * script and styles, by their hashes.
 */
export function renderFlameGraphHtml(profile: HeapProfile, options: FlameGraphOptions): string {
  const policy = `default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-${CLIENT.stylesHash}'; script-src 'sha256-${CLIENT.scriptHash}'`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${shown(options.title)}</title>`,
    `<style>${CLIENT.styles}</style>`,
    '</head>',
    '<body>',
    renderBody(options, profile),
    `<script type="application/json" id="data">${scriptJson({ metric: options.metric, ...encodePacked(packProfile(profile, options.base)) })}</script>`,
    `<script>${CLIENT.script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
