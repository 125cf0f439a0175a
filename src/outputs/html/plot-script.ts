/** What the page does: the boxes of the table show and hide curves, and the pointer reads the figures of a moment. */
export const PLOT_SCRIPT = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const svg = document.querySelector('svg');
const cursor = svg.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
cursor.setAttribute('class', 'cursor');
const moment = document.getElementById('moment');
const cells = data.curves.map((_, at) => document.getElementById('now' + at));
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const bytes = (value) => {
  let unit = 0;
  while (unit < 5 && value >= 1023.5 * 1024 ** unit) unit++;
  const shown = value / 1024 ** unit;
  return shown.toFixed(unit === 0 || shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2) + ' ' + units[unit];
};
const time = (seconds) => {
  if (data.x.to < 120) return seconds.toFixed(1) + ' s';
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, '0');
  return Math.floor(whole / 3600) + ':' + two(Math.floor(whole / 60) % 60) + ':' + two(whole % 60);
};
const nearest = (times, wanted) => {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low > 0 && wanted - times[low - 1] < times[low] - wanted ? low - 1 : low;
};
svg.addEventListener('pointermove', (event) => {
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const { left, right, top, bottom, to } = data.x;
  if (x < left || x > right) return;
  const seconds = ((x - left) / (right - left)) * to;
  cursor.setAttribute('d', 'M' + x + ' ' + top + 'V' + bottom);
  moment.textContent = 'at ' + time(seconds);
  data.curves.forEach(({ seconds: times, bytes: values, reach }, at) => {
    const here = nearest(times, seconds);
    const near = times.length > 0 && Math.abs(times[here] - seconds) <= reach;
    cells[at].textContent = near && values[here] !== null ? bytes(values[here]) : '-';
  });
});
svg.addEventListener('pointerleave', () => {
  cursor.removeAttribute('d');
  moment.textContent = '';
  for (const cell of cells) cell.textContent = '';
});
document.querySelectorAll('input[data-curve]').forEach((box) => {
  const drawn = svg.querySelector('g[data-curve="' + box.dataset.curve + '"]');
  const show = () => drawn.classList.toggle('off', !box.checked);
  box.addEventListener('change', show);
  show();
});
`;
