/**
 * What members say to each other: a message as a page sends it, and as it gets it.
 *
 * @module
 */

import { RelayError, utf8 } from './oneport-frames.js';

/**
 * @typedef {object} Message
 * @property {Readonly<import('./oneport-frames.js').Member>} from only its id is known of somebody who had left before;
 *   the id 0 is the relay itself
 * @property {string} [text] a message has a text or
 * @property {Uint8Array<ArrayBuffer>} [bytes] bytes
 * @property {string} topic
 * @property {number[]|null} to member ids, if it is not for the whole room
 * @property {number} time when the relay took it, as `Date.now()` counts
 * @property {number|null} offset its place in the room's order; null if it is lossy
 * @property {boolean} isOwn also if it was sent under an earlier id, before a session was lost
 * @property {boolean} isHistory whether it is from before the join, or from a time that was not recovered
 */

/**
 * @typedef {object} SendOptions
 * @property {string} [topic] at most 128 bytes
 * @property {number[]} [to] member ids, 64 at most; the whole room without it
 * @property {boolean} [echo] whether it comes back as a `message` event, in its place in the order
 * @property {'kept'|'transient'|'lossy'} [class] `kept` stays in the history, `transient` is for who
 *   is there now, `lossy` may get lost
 * @property {boolean} [receipt] whether a `receipt` event should tell to how many members it came
 * @property {string} [id] 1 to 64 bytes: what makes a second one with the same id in the same session
 *   harmless. The library makes one by itself
 */

const TOPIC_BYTES_MAX = 128;
const RECIPIENTS_MAX = 64;
const ID_BYTES_MAX = 64;

/**
 * The frame that publishes this.
 *
 * @param {string} room
 * @param {string|ArrayBuffer|ArrayBufferView} data
 * @param {SendOptions & {id: string}} options
 * @throws {RelayError} if the relay would say so as well
 */
export function publication(room, data, { id, topic = '', to, echo, receipt, class: kind = 'kept' }) {
  if (utf8(topic).length > TOPIC_BYTES_MAX) {
    throw new RelayError('topic_too_long', `a topic has at most ${TOPIC_BYTES_MAX} bytes`, { room, limit: TOPIC_BYTES_MAX });
  }
  if (to !== undefined && to.length > RECIPIENTS_MAX) {
    throw new RelayError('too_many_recipients', `a message has at most ${RECIPIENTS_MAX} recipients`, { room, limit: RECIPIENTS_MAX });
  }
  // The relay could not say about which request this is.
  if (!/^\P{Cc}+$/u.test(id) || utf8(id).length > ID_BYTES_MAX) {
    throw new RelayError('bad_frame', `an id has 1 to ${ID_BYTES_MAX} bytes without control characters`, { room, limit: ID_BYTES_MAX });
  }
  if (to?.length === 0) throw new RelayError('no_such_member', 'a message for nobody', { room });
  const payload = typeof data === 'string' ? { text: wellFormed(data) } : { binary: bytesOf(data) };
  const how = { echo: echo || undefined, receipt: receipt || undefined, class: kind === 'kept' ? undefined : kind };
  return { t: 'pub', id, room, topic: topic || undefined, to, ...how, ...payload };
}

/**
 * @param {import('./oneport-frames.js').Msg} frame
 * @param {Readonly<import('./oneport-frames.js').Member>} from
 * @param {{isOwn: boolean, isHistory: boolean}} flags
 * @returns {Message}
 */
export function message({ text, binary, topic = '', to, time, offset }, from, flags) {
  const payload = text === undefined ? { bytes: binary } : { text };
  return { from, ...payload, topic, to: to ?? null, time, offset: offset ?? null, ...flags };
}

/** Half of a pair of code units is no text, and would make the whole frame bad. @param {string} text */
function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A copy: the page may go on to write into its own. @param {ArrayBuffer|ArrayBufferView} data */
function bytesOf(data) {
  const view = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(view);
}
