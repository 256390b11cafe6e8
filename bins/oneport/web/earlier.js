import { make, ui } from './dom.js';

/** The line that leads to what was said earlier. */
export class Earlier {
  line = make('li', 'earlier');
  button = make('button', 'quiet', 'Earlier messages');
  /** Before which offset. */
  from = 0;

  constructor() {
    this.button.id = 'earlier';
    this.button.type = 'button';
    this.line.append(this.button);
  }

  /** @param {number} from
   * @param {Element|null} next the line that it stands before */
  show(from, next) {
    this.from = from;
    if (this.line.isConnected && this.line.nextElementSibling === next) return;
    if (next !== this.line) ui.messages.insertBefore(this.line, next);
  }

  hide() {
    if (document.activeElement === this.button) ui.log.focus();
    this.line.remove();
  }

  /** False if it is loading already. */
  begin() {
    if (this.button.getAttribute('aria-disabled') === 'true') return false;
    this.button.setAttribute('aria-disabled', 'true');
    this.button.textContent = 'Loading…';
    return true;
  }

  /** @param {string} words */
  end(words) {
    this.button.removeAttribute('aria-disabled');
    this.button.textContent = words;
  }
}
