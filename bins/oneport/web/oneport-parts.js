/**
 * The messages that files are made of, to and from bytes. They are described in oneport-files.js.
 *
 * @module
 */

export const BEGIN = 1;
export const DATA = 2;
export const CANCEL = 3;
export const CREDIT = 4;
export const DECLINE = 5;

const HEADER_BYTES = 21;
const REASON_BYTES_MAX = 32;
const NAME_CHARS_MAX = 200;

/** What a receiver that grants nothing by itself may be ahead of what it has. */
const UNGRANTED_PARTS = 32;

/**
 * @param {number} kind
 * @param {Uint8Array} transfer
 * @param {number} index
 * @param {Uint8Array} rest
 */
export function chunk(kind, transfer, index, rest) {
  const bytes = new Uint8Array(HEADER_BYTES + rest.length);
  bytes[0] = kind;
  bytes.set(transfer, 1);
  new DataView(bytes.buffer).setUint32(17, index);
  bytes.set(rest, HEADER_BYTES);
  return bytes;
}

/** Null if it is too short for one. @param {Uint8Array<ArrayBuffer>} bytes */
export function readChunk(bytes) {
  if (bytes.length < HEADER_BYTES) return null;
  const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(17);
  return { kind: bytes[0], transfer: bytes.slice(1, 17), index, rest: bytes.subarray(HEADER_BYTES) };
}

/** The rest of a credit. @param {number} granted */
export function grant(granted) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, granted);
  return bytes;
}

/** How many parts may be sent in all. @param {number} parts that the receiver has @param {Uint8Array} rest */
export function readGrant(parts, rest) {
  return rest.length < 4 ? parts + UNGRANTED_PARTS : new DataView(rest.buffer, rest.byteOffset).getUint32(0);
}

/** One word, whatever a receiver says. @param {Uint8Array} rest */
export function readReason(rest) {
  const reason = new TextDecoder().decode(rest.subarray(0, REASON_BYTES_MAX));
  return /^[a-z_]+$/.test(reason) ? reason : 'unknown';
}

/**
 * The last part of a path, without control characters and without what is invisible or turns the direction of
 * writing. Joiners stay, because scripts and emoji need them, and so do the tags of a flag. Empty if nothing visible is
 * left, or only `.` or `..`.
 *
 * @param {string} name
 */
export function tidyName(name) {
  const last = name.split(/[\\/]/).at(-1) ?? '';
  const tidy = last
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/(\u{1f3f4}[\u{e0020}-\u{e007f}]+)|[\u200c\u200d]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found, flag) =>
      flag !== undefined || found === '\u200c' || found === '\u200d' ? found : '',
    )
    .trim();
  const isVisible = /[^\s\u200c\u200d\p{Default_Ignorable_Code_Point}]/u.test(tidy);
  return isVisible && tidy !== '.' && tidy !== '..' ? Array.from(tidy).slice(0, NAME_CHARS_MAX).join('') : '';
}
