import type { Ground } from '../box-colours.js';
import { byId } from './page-elements.js';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const NAMES: Readonly<Record<Theme, string>> = { auto: '◐ Auto', light: '○ Light', dark: '● Dark' };

/** The switch between light, dark and what the system says. */
export function openTheme(changed: () => void): { ground(): Ground } {
  const button = byId('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const paper = matchMedia('print');
  let theme: Theme = 'auto';
  const show = () => {
    document.documentElement.dataset['theme'] = theme;
    button.textContent = NAMES[theme];
    button.setAttribute('aria-label', `Colours: ${theme}`);
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    show();
    changed();
  });
  system.addEventListener('change', changed);
  show();
  return {
    ground: () => (!paper.matches && (theme === 'dark' || (theme === 'auto' && system.matches)) ? 'dark' : 'light'),
  };
}
