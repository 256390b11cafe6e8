/**
 * What pages say to each other on the channel `chat`, one JSON object per message:
 *   {"type": "message", "from", "name", "id", "text"}   somebody said something
 *   {"type": "hello",   "from", "name", "away"}   I have just come: who is here? And if I was away
 *       for some milliseconds: say again what you said in that time, as far as you remember
 *   {"type": "here",    "from", "name"}   I am here: the answer to a hello, a new name, a sign of life
 *   {"type": "typing",  "from", "name"}   I am writing, at most every few seconds
 *   {"type": "bye",     "from", "name"}   I am going
 * `from` is a random id of one visit to the page, and `id` one of a message: what comes again with
 * the same id is not shown again. Everything but `type` and `text` may be missing. A text that is no
 * such object is shown as said by "someone", so a page that sends plain text on `chat` can talk with
 * this one. The relay does not look into any of this, and so nobody's name or `from` is proven:
 * never conclude anything from them but what to show.
 */

/**
 * What arrived, checked and cut to size.
 * @typedef {object} Incoming
 * @property {'message'|'hello'|'here'|'typing'|'bye'} type
 * @property {string} from empty if unknown
 * @property {string} name never empty
 * @property {string} id empty if unknown
 * @property {string} text
 * @property {number} away in milliseconds; 0 if the sender was not here before
 */

export const STRANGER = 'someone';

export const TEXT_CHARS_MAX = 16_000;
const NAME_CHARS_MAX = 32;
const ID_CHARS_MAX = 64;

const TYPES = new Set(['message', 'hello', 'here', 'typing', 'bye']);

/** Whatever it is, it becomes something that can be shown.
 * @param {string|ArrayBuffer} data
 * @returns {Incoming} */
export function parse(data) {
  if (typeof data !== 'string') return byStranger(`(${data.byteLength} bytes that are not text)`);
  const value = parseJson(data);
  const isOurs = TYPES.has(value?.type) && (value.type !== 'message' || typeof value.text === 'string');
  if (!isOurs) return byStranger(data);
  return {
    type: value.type,
    from: cleanId(value.from),
    name: cleanName(value.name) || STRANGER,
    id: cleanId(value.id),
    text: value.type === 'message' ? cleanText(value.text) : '',
    away: Number.isFinite(value.away) ? Math.max(value.away, 0) : 0,
  };
}

/** One line without what is invisible, turns the writing direction, or towers over other lines.
 * @param {unknown} value */
export function cleanName(value) {
  if (typeof value !== 'string') return '';
  const line = value
    .slice(0, NAME_CHARS_MAX * 8)
    .replace(/[\p{Cc}\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu, ' ')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/\s+/gu, ' ')
    .trim();
  return Array.from(line).slice(0, NAME_CHARS_MAX).join('');
}

/** Random letters. Not `crypto.randomUUID`, which a page without TLS does not have.
 * @param {number} bytes */
export function randomId(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} text
 * @returns {any} null if it is no JSON */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} text
 * @returns {Incoming} */
function byStranger(text) {
  return { type: 'message', from: '', name: STRANGER, id: '', text: cleanText(text), away: 0 };
}

/** @param {unknown} value */
function cleanId(value) {
  return typeof value === 'string' ? value.slice(0, ID_CHARS_MAX) : '';
}

/** @param {string} text */
function cleanText(text) {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text;
}
