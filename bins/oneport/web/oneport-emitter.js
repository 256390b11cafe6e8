/**
 * Events with a short way to listen to them. What a listener throws is the page's, not the library's:
 * it is reported as every error of a listener is, and the library goes on.
 *
 * @module
 */

import { badArgument, listen } from './oneport-arguments.js';

/** @template {Record<string, any>} Details the details of each type of event */
export class Emitter extends EventTarget {
  #types;

  /** @param {(keyof Details & string)[]} types of the events that there are */
  constructor(types) {
    super();
    this.#types = types;
  }

  /**
   * Listens; call what comes back to stop. `addEventListener` works as well: the argument is the
   * `detail` of its `CustomEvent`.
   *
   * @template {keyof Details & string} Type
   * @param {Type} type
   * @param {(detail: Details[Type]) => void} listener
   * @param {AddEventListenerOptions} [options]
   * @throws {TypeError} `bad_argument` if there is no such event, the listener is no function, or the options are wrong
   */
  on(type, listener, options) {
    if (!this.#types.includes(type)) badArgument(`there is no such event; there are ${this.#types.join(', ')}`);
    if (typeof listener !== 'function') badArgument('a listener is a function');
    /** @param {Event} event */
    const hear = (event) => listener(/** @type {CustomEvent} */ (event).detail);
    listen(this, type, hear, options);
    return () => this.removeEventListener(type, hear, options);
  }

  /**
   * @template {keyof Details & string} Type
   * @param {Type} type
   * @param {Details[Type]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
