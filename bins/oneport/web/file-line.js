/** A file in the conversation: its name, how far it is, and what can be done with it. */

import { make, setText } from './dom.js';
import { makeBubbleLine } from './line.js';
import { listOf, randomId, size } from './text.js';

/** @typedef {import('./conversation.js').Conversation} Conversation */

/**
 * @typedef {object} About
 * @property {string} sender the same for all of one sender's lines that may stand together
 * @property {number} from the sender's member id
 * @property {string} name the sender's
 * @property {string} file its name
 * @property {number} bytes
 * @property {boolean} isOwn
 * @property {string} audience for whom it is, if not for everybody
 */

export class FileLine {
  #line;
  #bytes;
  #bar = make('progress', '');
  #state = make('span', 'file-state');
  #cancel = make('button', 'cancel quiet', 'Cancel');
  #onCancel = () => {};
  #url = '';
  /** @type {Map<string, string>} why, by who did not take it */ #declined = new Map();
  #isSettled = false;
  isReleased = false;

  /** @param {Conversation} conversation
   * @param {About} about
   * @param {() => void} cancel */
  constructor(conversation, { sender, from, name, file, bytes, isOwn, audience }, cancel) {
    const at = Date.now();
    this.#bytes = bytes;
    this.#line = makeBubbleLine({ id: randomId(8), from, name, at, audience, isOwn });
    this.#line.classList.add('file');
    // Those with an id are messages.
    delete this.#line.dataset.id;
    this.#line.dataset.file = 'waiting';
    this.#bar.max = Math.max(1, bytes);
    this.#bar.value = 0;
    this.#bar.setAttribute('aria-label', `Progress of ${file}`);
    this.#cancel.type = 'button';
    this.#cancel.setAttribute('aria-label', `Cancel ${file}`);
    this.#onCancel = cancel;
    this.#cancel.addEventListener('click', () => this.#onCancel());
    this.#state.textContent = `${size(bytes)} · waiting`;
    // Nobody wants to hear every step of it.
    this.#state.setAttribute('aria-live', 'off');
    const title = make('bdi', 'file-name', file);
    title.title = file;
    this.#body.prepend(title, this.#bar, this.#state, ' ', this.#cancel);
    conversation.addFile(this.#line, { sender, at, isOwn, release: () => this.release() });
  }

  /** @param {number} bytes */
  progress(bytes) {
    if (this.#isSettled) return;
    this.#line.dataset.file = 'moving';
    this.#bar.value = bytes;
    setText(this.#state, `${size(bytes)} of ${size(this.#bytes)}`);
  }

  /** @param {string} words */
  done(words) {
    this.#settle('done', words);
  }

  /** @param {string} words */
  fail(words) {
    this.#settle('failed', words);
    this.#body.querySelectorAll('.save, .preview').forEach((gone) => gone.remove());
  }

  /** @param {string} name
   * @param {string} reason */
  declined(name, reason) {
    this.#declined.set(name, `${name} (${reason})`);
    const note = this.#body.querySelector('.declined') ?? this.#body.appendChild(make('p', 'declined'));
    note.textContent = `Not taken by ${listOf([...this.#declined.values()])}`;
  }

  /** Shows the picture that the file is.
   * @param {Blob} blob */
  preview(blob) {
    if (this.isReleased) return;
    this.#url ||= URL.createObjectURL(blob);
    const preview = make('img', 'preview');
    preview.alt = this.#body.querySelector('.file-name')?.textContent ?? '';
    preview.decoding = 'async';
    preview.src = this.#url;
    // What claims to be a picture may be none.
    preview.addEventListener('error', () => preview.remove());
    this.#body.prepend(preview);
  }

  /** The file is here, to be saved.
   * @param {Blob} blob */
  offer(blob) {
    this.#settle('done', 'received');
    if (this.isReleased) return;
    this.#url = URL.createObjectURL(blob);
    const name = this.#body.querySelector('.file-name')?.textContent ?? '';
    const save = make('a', 'save', 'Save');
    save.href = this.#url;
    save.download = name;
    save.setAttribute('aria-label', `Save ${name}`);
    this.#state.after(' ', save);
  }

  /** The file's memory is free again. */
  release() {
    this.isReleased = true;
    if (this.#url !== '') URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.#onCancel();
  }

  /** @param {'done'|'failed'} state
   * @param {string} words */
  #settle(state, words) {
    this.#line.dataset.file = state;
    this.#bar.remove();
    this.#cancel.remove();
    this.#isSettled = true;
    // It would keep the file in memory for as long as this line is there.
    this.#onCancel = () => {};
    this.#state.removeAttribute('aria-live');
    setText(this.#state, `${size(this.#bytes)} · ${words}`);
  }

  /** @returns {HTMLElement} */
  get #body() {
    return /** @type {HTMLElement} */ (this.#line.querySelector('.body'));
  }
}
