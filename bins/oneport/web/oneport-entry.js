/**
 * The way into a room: gets an access token if the page has a function for it, says `join` as soon as
 * the link takes it, and asks again when that may help.
 *
 * @module
 */

import { isExpiry } from './oneport-token.js';

/** A relay that may be asked again at once is not. */
const AGAIN_MS_MIN = 1_000;

/** A page's function that gave no token is asked again after so long. */
const NO_TOKEN_MS = 5_000;

/**
 * @typedef {object} Owner
 * @property {(id: string, token: string|undefined) => boolean} join says it; false if the link does not take it now
 * @property {() => string} nextId
 * @property {(error: import('./oneport-frames.js').RelayError) => void} noToken there is none now, and it is asked for again
 * @property {(error: import('./oneport-frames.js').RelayError) => void} badToken
 */

export class Entry {
  #owner;
  #token;
  /** @type {symbol|null} an attempt, from its beginning to the end of the link */ #attempt = null;
  /** @type {{token: string|undefined}|null} a join that is to be said */ #due = null;
  /** @type {string|null} the id of a join without an answer */ #joinId = null;
  #hasRenewed = false;
  #enteredAt = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #again;

  /** @param {Owner} owner @param {import('./oneport-token.js').Token} token */
  constructor(owner, token) {
    this.#owner = owner;
    this.#token = token;
  }

  /** Whether a join waits for its answer. */
  get isAsking() {
    return this.#joinId !== null;
  }

  /** @param {string} id */
  isJoin(id) {
    return id === this.#joinId;
  }

  /** There is a link.
   * @param {boolean} [isHome] whether signaling has shown this room's token just now */
  async begin(isHome = false) {
    this.stop();
    const attempt = Symbol();
    this.#attempt = attempt;
    try {
      const token = isHome ? undefined : await this.#token.get();
      if (this.#attempt !== attempt) return;
      this.#due = { token };
      this.flush();
    } catch (error) {
      if (this.#attempt === attempt) this.#fail(/** @type {import('./oneport-frames.js').RelayError} */ (error));
    }
  }

  /** Says what could not be said before. */
  flush() {
    if (this.#due === null) return;
    const id = this.#owner.nextId();
    if (!this.#owner.join(id, this.#due.token)) return;
    this.#due = null;
    this.#joinId = id;
  }

  /** There is no link any more, or no need. */
  stop() {
    clearTimeout(this.#again);
    this.#attempt = null;
    this.#due = null;
    this.#joinId = null;
  }

  /** It has come about. */
  succeed() {
    this.stop();
    this.#hasRenewed = false;
    this.#enteredAt = Date.now();
  }

  /** The relay has said no. False if that is its last word.
   * @param {import('./oneport-frames.js').Err} frame */
  refused({ code, retry_after_ms: retryAfterMs }) {
    this.#joinId = null;
    if (retryAfterMs !== undefined) {
      this.#beginIn(Math.max(retryAfterMs, AGAIN_MS_MIN));
      return true;
    }
    // Once: a page that has no newer token would be asked for ever.
    const mayRenew = isExpiry(code) && this.#token.isRenewable && !this.#hasRenewed;
    if (!mayRenew) return false;
    this.#hasRenewed = true;
    this.begin();
    return true;
  }

  /** The token has expired while the member was in, and the page has a way to a newer one. */
  renew() {
    // Tokens that do not live longer than the way here are not asked for without end.
    this.#beginIn(Math.max(0, this.#enteredAt + AGAIN_MS_MIN - Date.now()));
  }

  /** @param {import('./oneport-frames.js').RelayError} error */
  #fail(error) {
    if (error.code === 'token_bad') {
      this.#owner.badToken(error);
      return;
    }
    this.#owner.noToken(error);
    this.#beginIn(NO_TOKEN_MS);
  }

  /** @param {number} ms */
  #beginIn(ms) {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.begin(), ms);
  }
}
