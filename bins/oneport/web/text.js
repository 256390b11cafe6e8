/** What others wrote, cut to size and made harmless to look at. */

export { STRANGER, cleanName, nameOf } from './names.js';

export const TEXT_CHARS_MAX = 16_000;

/** A message's text, or what is to be said of one that has none.
 * @param {{text?: string, bytes?: Uint8Array}} message */
export function textOf({ text, bytes }) {
  if (text === undefined) return `(${bytes?.length ?? 0} bytes that are not text)`;
  if (text.length <= TEXT_CHARS_MAX) return text;
  // Not within a pair of code units.
  return `${text.slice(0, TEXT_CHARS_MAX).replace(/[\ud800-\udbff]$/, '')}…`;
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
