/** An element that the page has from the start. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element ${id}.`);
  return found as T;
}

interface Properties {
  readonly class?: string;
  readonly title?: string;
  readonly type?: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Makes an element; texts become text nodes, whatever they are. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly (Node | string | undefined)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  if (properties.title !== undefined) made.title = properties.title;
  if (tag === 'button') made.setAttribute('type', 'button');
  if (properties.onClick) made.addEventListener('click', properties.onClick as EventListener);
  for (const [name, value] of Object.entries(properties.attributes ?? {})) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A group of buttons of which one is chosen, as radio buttons: arrow keys move the choice. */
export function fillChoice<T extends string>(
  id: string,
  options: ReadonlyArray<readonly [T, string, string]>,
  chosen: T,
  choose: (value: T) => void,
): (value: T) => void {
  const group = byId(id);
  const buttons = options.map(([value, label, title]) =>
    element(
      'button',
      { title, onClick: () => choose(value), attributes: { role: 'radio', 'data-value': value } },
      label,
    ),
  );
  group.replaceChildren(...buttons);
  const show = (value: T) => {
    for (const button of buttons) {
      const isChosen = button.dataset['value'] === value;
      button.setAttribute('aria-checked', String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    }
  };
  group.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const next = (at + step + buttons.length) % buttons.length;
    buttons[next]?.focus();
    choose(options[next]?.[0] as T);
  });
  show(chosen);
  return show;
}

export function fillSelect<T extends string>(
  id: string,
  options: ReadonlyArray<readonly [T, string]>,
  choose: (value: T) => void,
): HTMLSelectElement {
  const select = byId<HTMLSelectElement>(id);
  select.replaceChildren(...options.map(([value, label]) => element('option', { attributes: { value } }, label)));
  select.addEventListener('change', () => choose(select.value as T));
  return select;
}
