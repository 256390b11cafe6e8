/** Removing somebody from the room: asks first, and for a word to tell them. */

import { setText, ui } from './dom.js';
import { cleanLine, cutBytes } from './names.js';

/** Of UTF-8 (PROTOCOL.md section 4). */
export const MESSAGE_BYTES_MAX = 256;

/** @type {(message: string) => void} what is done once it is confirmed */
let confirmed = () => {};

export function listenToKick() {
  ui.kickMessage.addEventListener('input', () => {
    const allowed = cutBytes(ui.kickMessage.value, MESSAGE_BYTES_MAX);
    if (allowed !== ui.kickMessage.value) ui.kickMessage.value = allowed;
  });
  ui.kickForm.addEventListener('submit', (event) => {
    event.preventDefault();
    ui.kick.close();
    confirmed(cleanLine(ui.kickMessage.value, MESSAGE_BYTES_MAX));
  });
  ui.kickCancel.addEventListener('click', withdrawKick);
}

/** Nobody is asked any more. */
export function withdrawKick() {
  ui.kick.close();
}

/** @param {string} name the member's name
 * @param {(message: string) => void} act receives the message, which may be empty */
export function askToKick(name, act) {
  confirmed = act;
  setText(ui.kickName, name);
  ui.kickMessage.value = '';
  ui.kick.showModal();
}
