/** Who I am to the others, and the input for my name. */

import { paintAvatar } from './appearance.js';
import { fitInput, ui } from './dom.js';
import { cleanName, randomId } from './wire.js';

const NAME_KEY = 'oneport.name';
const ADJECTIVES = ['Amber', 'Brave', 'Calm', 'Coral', 'Gentle', 'Jolly', 'Misty', 'Quiet', 'Salty', 'Silver', 'Sunny', 'Windy'];
const ANIMALS = ['Cormorant', 'Dolphin', 'Eider', 'Gannet', 'Heron', 'Otter', 'Pelican', 'Plover', 'Puffin', 'Seal', 'Tern', 'Turtle'];

/** `visit` is new with every load of the page: two pages never share it. */
export const me = { visit: randomId(8), name: firstName() };

/** Lets people change my name.
 * @param {() => void} onRenamed */
export function listenToName(onRenamed) {
  ui.name.addEventListener('input', () => fitInput(ui.name));
  ui.name.addEventListener('change', () => {
    const name = cleanName(ui.name.value);
    if (name !== '' && name !== me.name) {
      me.name = name;
      stored('sessionStorage', name);
      stored('localStorage', name);
      onRenamed();
    }
    showName();
  });
  ui.name.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    // Enter would send the message: it means the name here.
    event.preventDefault();
    ui.text.focus();
  });
}

/** Shows the name that is valid, whatever was typed. */
export function showName() {
  ui.name.value = me.name;
  fitInput(ui.name);
  paintAvatar(ui.meAvatar, me.name);
}

/** A chosen name is kept for all tabs, a suggested one for this tab: two tabs are two people. */
function firstName() {
  const known = stored('sessionStorage') || stored('localStorage');
  if (known) return known;
  const pick = (/** @type {string[]} */ words) => words[Math.floor(Math.random() * words.length)];
  const suggested = `${pick(ADJECTIVES)} ${pick(ANIMALS)}`;
  stored('sessionStorage', suggested);
  return suggested;
}

/** A browser may forbid storage altogether; then a name lasts as long as the page.
 * @param {'localStorage'|'sessionStorage'} kind
 * @param {string} [name] stored if given
 * @returns {string} what is stored, or nothing */
function stored(kind, name) {
  try {
    if (name !== undefined) window[kind].setItem(NAME_KEY, name);
    return cleanName(window[kind].getItem(NAME_KEY));
  } catch {
    return '';
  }
}
