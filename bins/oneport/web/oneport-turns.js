/**
 * Work that takes its time, such as encryption, done one after the other, so that what comes of it
 * keeps its order.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';

export class Turns {
  #max;
  #count = 0;
  #bytes = 0;
  /** @type {Promise<unknown>} */ #last = Promise.resolve();

  /** @param {{count: number, bytes: number}} [max] how much may wait */
  constructor(max = { count: Infinity, bytes: Infinity }) {
    this.#max = max;
  }

  /**
   * Does this when everything before it is done.
   *
   * @template Result
   * @param {() => Promise<Result>|Result} job
   * @param {number} [bytes] what it holds while it waits
   * @returns {Promise<Result>}
   * @throws {RelayError} `queue_full`
   */
  take(job, bytes = 0) {
    if (this.#count >= this.#max.count || this.#bytes + bytes > this.#max.bytes) {
      throw new RelayError('queue_full', 'too much is waiting to be sent');
    }
    this.#count += 1;
    this.#bytes += bytes;
    const done = this.#last.then(job).finally(() => {
      this.#count -= 1;
      this.#bytes -= bytes;
    });
    // What fails is its caller's, and the next one's turn all the same.
    this.#last = done.catch(() => {});
    return done;
  }
}
