import type { GraphPlace } from './graph-place.js';
import { byId, element } from './page-elements.js';

const MOST_CRUMBS = 5;

/** Shows the way from everything to what is zoomed into, each step a button, and whether there is a way back. */
export function showCrumbs(place: GraphPlace, zoomTo: (node: number) => void, leaveFocus: () => void): void {
  const { keys } = place.sums().view;
  const { focus, direction } = place.look();
  const zoomed = place.zoomed();
  const crumb = (node: number, text: string) => {
    const made = element('button', { title: text, onClick: () => zoomTo(node) }, element('bdi', {}, text));
    if (node === zoomed) made.setAttribute('aria-current', 'location');
    return made;
  };
  const path = place.path();
  const tail = path.slice(-MOST_CRUMBS);
  const parts: Node[] = [crumb(0, 'all')];
  if (tail.length < path.length) parts.push(element('span', { class: 'soft' }, '…'));
  for (const node of tail) parts.push(crumb(node, keys.label[place.tree().key(node)] ?? ''));
  if (focus) {
    const words = `${direction === 'callers' ? 'callers of' : 'only'} ${focus.label}`;
    parts.unshift(
      element(
        'button',
        { class: 'focus', title: 'Show all stacks again', onClick: leaveFocus },
        element('bdi', {}, words),
        ' ×',
      ),
    );
  }
  byId('crumbs').replaceChildren(...parts);
  byId<HTMLButtonElement>('back').disabled = !place.canGoBack();
  byId<HTMLButtonElement>('reset').disabled = !place.canReset();
}

/** Says what is selected, with what can be done with it. */
export function showSelected(text: string, actions: ReadonlyArray<readonly [string, () => void]>): void {
  const buttons = actions.map(([label, onClick]) => element('button', { onClick }, label));
  byId('current').replaceChildren(element('bdi', {}, text), element('span', { class: 'actions' }, ...buttons));
}
