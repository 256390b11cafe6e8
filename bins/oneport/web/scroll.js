/** The log stays at its end while its reader is there, and otherwise where the reader is. */

import { setText, ui } from './dom.js';

/** So near is at the end. */
const END_PX = 48;

export class Scroll {
  #isAtEnd = true;
  #below = 0;
  #isDue = false;
  /** Where the last scroll left the log. */
  #top = 0;

  constructor() {
    ui.log.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    // A phone's keyboard, a growing composer, a picture that has loaded: stay at the end.
    const resized = new ResizeObserver(() => this.#isAtEnd && this.#scrollSoon());
    resized.observe(ui.log);
    resized.observe(ui.messages);
    ui.more.addEventListener('click', () => {
      this.toEnd();
      ui.text.focus();
    });
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#below = 0;
    this.#scrollSoon();
    this.#show();
  }

  /** Something has come below.
   * @param {boolean} isMessage and is worth counting */
  grew(isMessage) {
    if (this.#isAtEnd) this.#scrollSoon();
    else if (isMessage) this.#below += 1;
    if (!this.#isAtEnd) this.#show();
  }

  /** Changes what is above, and leaves what is read where it is.
   * @param {() => void} change */
  keepPlace(change) {
    const { top } = ui.log.getBoundingClientRect();
    const isSeen = (/** @type {Element} */ line) => line.classList.contains('message') && line.getBoundingClientRect().bottom > top;
    // The words, for the name above them goes if their line joins those before it.
    const read = [...ui.messages.children].find(isSeen)?.querySelector('.body');
    const before = read?.getBoundingClientRect().top ?? 0;
    // The browser would move it as well, but not from the very top.
    ui.log.classList.add('still');
    change();
    const after = read?.getBoundingClientRect().top ?? 0;
    if (this.#isAtEnd) this.#scrollSoon();
    else ui.log.scrollTop += after - before;
    requestAnimationFrame(() => requestAnimationFrame(() => ui.log.classList.remove('still')));
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = ui.log;
    const isUp = scrollTop < this.#top - 4;
    this.#top = scrollTop;
    // Only the reader leaves the end; what grows below moves nobody.
    const isNear = scrollHeight - scrollTop - clientHeight < END_PX;
    if (isNear || isUp) this.#isAtEnd = isNear;
    if (this.#isAtEnd) this.#below = 0;
    this.#show();
  }

  /** Once per frame, however many lines came in it. */
  #scrollSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      if (!this.#isAtEnd) return;
      ui.log.scrollTop = ui.log.scrollHeight;
    });
  }

  #show() {
    // While it follows the end, the browser need not hold another line in its place.
    ui.log.classList.toggle('at-end', this.#isAtEnd);
    ui.more.hidden = this.#isAtEnd;
    setText(ui.more, this.#below === 0 ? 'To the end' : `${this.#below} new message${this.#below === 1 ? '' : 's'}`);
    ui.more.classList.toggle('has-new', this.#below > 0);
  }
}
