/**
 * The page's address: `#room`, `#room?token=…` and `#room?key=…`.
 *
 * The token is what lets its owner in, and nobody else's business: it is kept for this tab and taken out
 * of the address, where it would be copied or seen by accident. The key is what makes a private room
 * private. It stays, for who copies the address means to invite into that room. Neither ever
 * reaches a server with the address: browsers keep what follows the `#` to themselves.
 */

import { cleanName, randomId } from './text.js';

/**
 * Where the page is.
 *
 * @typedef {object} Place
 * @property {string} room as it was meant; it may be no room at all
 * @property {string} [token]
 * @property {string} [key]
 */

export const ROOM_DEFAULT = 'lobby';

const TOKEN_CHARS_MAX = 4_096;

/** @returns {Place} */
export function readPlace() {
  const [before, ...after] = location.hash.slice(1).split('?');
  const room = decoded(before) || ROOM_DEFAULT;
  const details = new URLSearchParams(after.join('?'));
  const key = details.get('key') || undefined;
  const shown = details.get('token')?.trim() ?? null;
  // A browser that stores nothing needs the token again after a reload.
  const isKept = shown === null || keepToken(room, shown);
  if (isKept) history.replaceState(null, '', hashOf({ room, key }));
  return { room, key, token: tokenOf(room) ?? (shown || undefined) };
}

/** @param {Place} place */
export function goTo(place) {
  location.hash = hashOf(place);
}

/** To another room by its name, with the same token: it may be for both.
 * @param {string} room
 * @param {Place} from */
export function goToRoom(room, { token }) {
  if (token !== undefined && tokenOf(room) === undefined) keepToken(room, token);
  goTo({ room });
}

/** What to send to whom one wants here. Never with a token.
 * @param {Place} place */
export function inviteLink(place) {
  return new URL(hashOf(place), location.href).href;
}

/** A name that nobody guesses. */
export function randomRoom() {
  return `private-${randomId(6)}`;
}

/** Why this cannot be a room, or nothing. `.` and `..` would mean something else in a URL's path.
 * @param {string} name */
export function roomProblem(name) {
  if (/^[A-Za-z0-9._~-]{1,64}$/.test(name) && name !== '.' && name !== '..') return '';
  const shown = Array.from(name).slice(0, 64).join('');
  return `“${shown}” cannot be a room: a name has 1 to 64 letters a-z, digits or - . _ ~`;
}

/** The name that a token prescribes, or nothing.
 * @param {string|undefined} token */
export function nameInToken(token) {
  return cleanName(claimsIn(token).name);
}

/** Whether a token gives its bearer the right to remove others.
 * @param {string|undefined} token */
export function mayKick(token) {
  const { can } = claimsIn(token);
  return Array.isArray(can) && can.includes('kick');
}

/** What a token says. The relay checks the token; this only reads it, to show what fits.
 * @param {string|undefined} token a JWT (RFC 7519)
 * @returns {{name?: unknown, can?: unknown}} */
function claimsIn(token) {
  try {
    const claims = (token?.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(claims), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {};
  }
}

/** @param {Place} place */
function hashOf({ room, key }) {
  return `#${encodeURIComponent(room)}${key === undefined ? '' : `?key=${encodeURIComponent(key)}`}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const storageKey = (/** @type {string} */ room) => `oneport.token ${room}`;

/** @param {string} room
 * @param {string} token */
function keepToken(room, token) {
  try {
    sessionStorage.setItem(storageKey(room), token.slice(0, TOKEN_CHARS_MAX + 1));
    return true;
  } catch {
    return false;
  }
}

/** @param {string} room */
function tokenOf(room) {
  try {
    return sessionStorage.getItem(storageKey(room)) || undefined;
  } catch {
    return undefined;
  }
}
