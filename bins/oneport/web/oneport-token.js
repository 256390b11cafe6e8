/**
 * What a page shows to be let in: an access token, or a function that is asked for a new one at each
 * attempt, because tokens expire.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';
import { wordsOf } from './oneport-arguments.js';

/** @typedef {string|(() => string|Promise<string>)} TokenSource */

/** Of PROTOCOL.md section 5: visible ASCII. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** A page's function that does not answer is not waited for longer. */
const ANSWER_MS_MAX = 10_000;

export class Token {
  #source;

  /** @param {TokenSource|null} [source] @throws {RelayError} `token_bad` if it is of another type */
  constructor(source) {
    if (!['string', 'function', 'undefined'].includes(typeof source) && source !== null) {
      throw new RelayError('token_bad', 'an access token is a string, or a function that returns one');
    }
    this.#source = source;
  }

  /** Whether asking again may help against one that has expired. */
  get isRenewable() {
    return typeof this.#source === 'function';
  }

  /**
   * The token to show now; undefined if the page has none. Rejects with `token_unavailable` if the
   * page's function fails, which may pass, and with `token_bad` if it gives what is no token. White space
   * around a token does not count.
   *
   * @returns {Promise<string|undefined>}
   */
  async get() {
    const token = typeof this.#source === 'function' ? await ask(this.#source) : this.#source;
    if (token === undefined || token === null) return undefined;
    const trimmed = typeof token === 'string' ? token.trim() : '';
    if (!TOKEN.test(trimmed)) throw new RelayError('token_bad', 'this is no access token');
    return trimmed;
  }
}

/** Whether a new token helps against this refusal or good-bye. @param {string} code */
export function isExpiry(code) {
  return code === 'token_expired' || code === 'expired';
}

/** @param {() => string|Promise<string>} source @returns {Promise<string>} */
function ask(source) {
  return new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => reject(new RelayError('token_unavailable', `no access token could be had: ${why}`));
    const timer = setTimeout(() => fail('the page did not answer in time'), ANSWER_MS_MAX);
    Promise.resolve()
      .then(source)
      .then(resolve, (error) => fail(wordsOf(error)))
      .finally(() => clearTimeout(timer));
  });
}
