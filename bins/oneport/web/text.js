/** What others wrote, cut to size and made harmless to look at. */

/** Whoever has no name: a page without the library, or somebody who left before we came. */
export const STRANGER = 'someone';

/** Who is not in the room and speaks for its operator (PROTOCOL.md section 6, `msg`). */
const THE_RELAY = 'the relay';

export const TEXT_CHARS_MAX = 16_000;
const NAME_CHARS_MAX = 32;

/** The relay's limit (PROTOCOL.md section 4). */
const NAME_BYTES_MAX = 64;

/** One line without what is invisible, turns the writing direction, or towers over other lines.
 * @param {unknown} value */
export function cleanName(value) {
  if (typeof value !== 'string') return '';
  const line = value
    .slice(0, NAME_CHARS_MAX * 8)
    .replace(/[\p{Cc}\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu, ' ')
    .replace(/\p{Surrogate}/gu, '')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/\s+/gu, ' ')
    .trim();
  const chars = Array.from(line).slice(0, NAME_CHARS_MAX);
  while (new TextEncoder().encode(chars.join('')).length > NAME_BYTES_MAX) chars.pop();
  return chars.join('').trim();
}

/** @param {Readonly<{id?: number, name?: string}>|undefined} member */
export function nameOf(member) {
  if (member?.id === 0) return THE_RELAY;
  return cleanName(member?.name) || STRANGER;
}

/** A message's text, or what is to be said of one that has none.
 * @param {{text?: string, bytes?: Uint8Array}} message */
export function textOf({ text, bytes }) {
  if (text === undefined) return `(${bytes?.length ?? 0} bytes that are not text)`;
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text;
}

/** "3 s", "5 min".
 * @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** "1.5 MB".
 * @param {number} bytes */
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  const unit = bytes < 999_500 ? 'kB' : 'MB';
  const amount = bytes / (unit === 'kB' ? 1e3 : 1e6);
  return `${amount.toFixed(amount < 9.95 ? 1 : 0)} ${unit}`;
}

/** Random letters. Not `crypto.randomUUID`, which a page without TLS does not have.
 * @param {number} bytes */
export function randomId(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** "Ann, Ben and 3 others".
 * @param {string[]} names */
export function listOf(names) {
  if (names.length === 1) return names[0];
  if (names.length <= 3) return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`;
}
