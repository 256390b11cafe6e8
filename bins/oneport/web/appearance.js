/** How names, times and texts look. */

import { make } from './dom.js';
import { hueOf } from './hues.js';
import { linksIn } from './links.js';
import { STRANGER, charactersOf } from './names.js';
import { dateOf, timeOf } from './times.js';

/** Gives an element the colour of a member. By script, because the page's policy forbids style attributes.
 * @param {HTMLElement} target
 * @param {number} id */
export function paint(target, id) {
  target.style.setProperty('--hue', String(hueOf(id)));
}

/** Colour and initials.
 * @param {HTMLElement} avatar
 * @param {string} name
 * @param {number} id */
export function paintAvatar(avatar, name, id) {
  avatar.textContent = name === STRANGER ? '?' : initialsOf(name);
  avatar.classList.toggle('unknown', name === STRANGER);
  paint(avatar, id);
}

/** @param {string} name
 * @param {number} id */
export function makeAvatar(name, id, className = 'avatar') {
  const avatar = make('span', className);
  avatar.setAttribute('aria-hidden', 'true');
  paintAvatar(avatar, name, id);
  return avatar;
}

/** @param {Date} date */
export function makeTime(date) {
  const time = make('time', '', timeOf(date));
  time.dateTime = date.toISOString();
  time.title = dateOf(date);
  return time;
}

/** The day has changed, and with it what is said of the days before.
 * @param {HTMLElement} parent */
export function renewTimes(parent) {
  for (const time of parent.querySelectorAll('time')) time.textContent = timeOf(new Date(time.dateTime));
}

/** Appends text whose addresses can be followed. It is built of nodes: markup stays text.
 * @param {HTMLElement} parent
 * @param {string} text */
export function appendText(parent, text) {
  let at = 0;
  for (const { start, end, href } of linksIn(text)) {
    const link = make('a', '', text.slice(start, end));
    link.href = href;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    parent.append(text.slice(at, start), link);
    at = end;
  }
  parent.append(text.slice(at));
}

/** @param {string} name */
function initialsOf(name) {
  const words = name.split(' ').map((word) => charactersOf(word)[0] ?? '');
  return (words.length > 1 ? words[0] + words[words.length - 1] : words[0]).toUpperCase();
}
