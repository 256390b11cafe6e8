/**
 * What members say to each other: a message as a page sends it, and as it gets it.
 *
 * @module
 */

import { RelayError } from './oneport-frames.js';
import { classOf, flagOf, idOf, optionsOf, payloadOf, recipientsOf, topicOf } from './oneport-arguments.js';

/**
 * @typedef {object} Message
 * @property {Readonly<import('./oneport-frames.js').Member>} from the author. Of an author that has left, only the id and
 *   the latest name are certain to be here. The id 0 is the relay itself
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
 * How a message is sent. `null` means the same as no value.
 *
 * @typedef {object} SendOptions
 * @property {string} [topic] at most 128 bytes
 * @property {number[]} [to] member ids, 64 at most; the whole room without it
 * @property {boolean} [echo] whether it comes back as a `message` event, in its place in the order
 * @property {'kept'|'transient'|'lossy'} [class] `kept` stays in the history, `transient` is for who
 *   is there now, `lossy` may get lost
 * @property {boolean} [receipt] whether a `receipt` event should tell to how many members it came; never with `lossy`
 * @property {string} [id] 1 to 64 bytes: what makes a second one with the same id in the same session
 *   harmless. The library makes one by itself
 */

/**
 * Returns the frame that publishes this.
 *
 * @param {string} room
 * @param {unknown} data
 * @param {SendOptions|null|undefined} options
 * @param {() => string} nextId
 * @throws {RelayError} with the code of the relay for an option that it would reject
 * @throws {TypeError} `bad_argument` if the data is neither text nor bytes, or the options are no object
 */
export function publication(room, data, options, nextId) {
  const { id, topic, to, echo, receipt, class: kind } = optionsOf(options, ['id', 'topic', 'to', 'echo', 'receipt', 'class']);
  const frame = {
    t: 'pub',
    id: idOf(id) ?? nextId(),
    room,
    topic: topicOf(topic) || undefined,
    to: recipientsOf(to),
    echo: flagOf(echo, 'echo') || undefined,
    receipt: flagOf(receipt, 'receipt') || undefined,
    class: classOf(kind),
  };
  if (frame.class === 'lossy' && frame.receipt) throw new RelayError('bad_frame', 'a lossy message has no receipt', { room });
  /** @type {{text?: string, binary?: Uint8Array<ArrayBuffer>}} */
  const payload = payloadOf(data);
  return { ...frame, class: frame.class === 'kept' ? undefined : frame.class, ...payload };
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
