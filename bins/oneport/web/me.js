/** Who I am to the others, and the input for my name. */

import { paintAvatar } from './appearance.js';
import { fitInput, ui } from './dom.js';
import { cutName } from './names.js';
import { cleanName } from './text.js';

const NAME_KEY = 'oneport.name';
const ADJECTIVES = ['Amber', 'Brave', 'Calm', 'Coral', 'Gentle', 'Jolly', 'Misty', 'Quiet', 'Salty', 'Silver', 'Sunny', 'Windy'];
const ANIMALS = ['Cormorant', 'Dolphin', 'Eider', 'Gannet', 'Heron', 'Otter', 'Pelican', 'Plover', 'Puffin', 'Seal', 'Tern', 'Turtle'];

/** The name that I chose, and the one that this room's invitation prescribes instead, or nothing. */
const names = { chosen: firstName(), prescribed: '' };

/** My member id, once a room has given me one. */
let myId = 0;

export function myName() {
  return names.prescribed || names.chosen;
}

/** Lets people change my name.
 * @param {() => void} onRenamed */
export function listenToName(onRenamed) {
  ui.name.addEventListener('input', (event) => {
    if (!(event instanceof InputEvent && event.isComposing)) keepToLimit();
    fitInput(ui.name);
  });
  ui.name.addEventListener('change', () => {
    const name = cleanName(ui.name.value);
    if (names.prescribed === '' && name !== '' && name !== names.chosen) {
      names.chosen = name;
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

/** @param {string} name what this room's invitation says, or nothing */
export function prescribeName(name) {
  names.prescribed = name;
  ui.name.readOnly = name !== '';
  ui.nameLock.hidden = name === '';
  // What is hidden would be read aloud as a description all the same.
  if (name === '') ui.name.removeAttribute('aria-describedby');
  else ui.name.setAttribute('aria-describedby', ui.nameLock.id);
  showName();
}

/** Shows the name that is valid, whatever was typed. */
export function showName() {
  ui.name.value = myName();
  fitInput(ui.name);
  paintAvatar(ui.meAvatar, myName(), myId);
}

/** Shows me as the others see me.
 * @param {number|null} id */
export function showMe(id) {
  myId = id ?? 0;
  paintAvatar(ui.meAvatar, myName(), myId);
}

/** What is typed beyond the limit is not taken. */
function keepToLimit() {
  const { value, selectionStart } = ui.name;
  const allowed = cutName(value);
  if (allowed === value) return;
  ui.name.value = allowed;
  ui.name.setSelectionRange(selectionStart, selectionStart);
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
