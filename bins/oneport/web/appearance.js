/** How names, times and texts look. */

import { make } from './dom.js';
import { STRANGER } from './text.js';

const LINKS_PER_MESSAGE_MAX = 50;
const URL_CHARS_MAX = 2_000;

/** Far enough apart that two of them are told from each other. */
const HUES = [20, 45, 75, 110, 140, 165, 195, 225, 255, 285, 315, 345];

// Made once: making a formatter takes longer than all the rest of a message.
const CLOCK = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const CALENDAR = new Intl.DateTimeFormat([], { dateStyle: 'full', timeStyle: 'medium' });

const DAY = new Intl.DateTimeFormat([], { dateStyle: 'full' });

const URL_IN_TEXT = /\bhttps?:\/\/[^\s<>"\p{Cc}\u202a-\u202e\u2066-\u2069]+/giu;

/** Gives an element the colour of a name: the same for everybody (FNV-1a). By script, because the
 * page's policy forbids style attributes.
 * @param {HTMLElement} target
 * @param {string} name */
export function paint(target, name) {
  let hash = 0x811c9dc5;
  for (const char of name.toLowerCase()) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  target.style.setProperty('--hue', String(HUES[(hash >>> 0) % HUES.length]));
}

/** Colour and initials.
 * @param {HTMLElement} avatar
 * @param {string} name */
export function paintAvatar(avatar, name) {
  avatar.textContent = name === STRANGER ? '?' : initialsOf(name);
  avatar.classList.toggle('unknown', name === STRANGER);
  paint(avatar, name);
}

/** @param {string} name */
export function makeAvatar(name, className = 'avatar') {
  const avatar = make('span', className);
  avatar.setAttribute('aria-hidden', 'true');
  paintAvatar(avatar, name);
  return avatar;
}

/** @param {Date} date */
export function makeTime(date) {
  const time = make('time', '', CLOCK.format(date));
  time.dateTime = date.toISOString();
  time.title = CALENDAR.format(date);
  return time;
}

/** A day by its name, in the reader's own time.
 * @param {number} at as `Date.now()` counts */
export function dayOf(at) {
  return DAY.format(at);
}

/** Appends text whose web addresses can be followed. It is built of nodes: markup stays text.
 * @param {HTMLElement} parent
 * @param {string} text */
export function appendText(parent, text) {
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(URL_IN_TEXT)) {
    const address = match[0].length > URL_CHARS_MAX ? '' : withoutPunctuation(match[0]);
    if (links === LINKS_PER_MESSAGE_MAX || !isWebAddress(address)) continue;
    const link = make('a', '', address);
    link.href = address;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    parent.append(text.slice(end, match.index), link);
    end = match.index + address.length;
    links += 1;
  }
  parent.append(text.slice(end));
}

/** @param {string} name */
function initialsOf(name) {
  const words = name.split(' ').map((word) => Array.from(word)[0] ?? '');
  return (words.length > 1 ? words[0] + words[words.length - 1] : words[0]).toUpperCase();
}

/** The full stop after an address is not part of it; a bracket is, if it was opened there.
 * @param {string} address */
function withoutPunctuation(address) {
  let cut = address;
  for (;;) {
    const last = cut.slice(-1);
    const isOpened = last === ')' && cut.split('(').length >= cut.split(')').length;
    if (isOpened || !/[.,;:!?'*_)\]}]/.test(last)) return cut;
    cut = cut.slice(0, -1);
  }
}

/** Addresses with a user name in them mostly want to look like another site's.
 * @param {string} address */
function isWebAddress(address) {
  try {
    const url = new URL(address);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  } catch {
    return false;
  }
}
