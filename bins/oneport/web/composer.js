/** Where a message is written. */

import { setText, ui } from './dom.js';
import { TEXT_CHARS_MAX } from './text.js';

const HINT = ui.hint.textContent ?? '';

/**
 * @param {(text: string) => string} say takes a message, or tells why it cannot be said now: then it
 *   stays in the box
 * @param {() => void} onTyping
 */
export function listenToComposer(say, onTyping) {
  ui.composer.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = ui.text.value.trim();
    if (text === '') return;
    const problem = tooLong() || say(text);
    if (problem === '') ui.text.value = '';
    showProblem(problem);
    ui.text.focus();
  });
  ui.text.addEventListener('input', () => {
    showProblem();
    if (ui.text.value.trim() !== '') onTyping();
  });
  ui.text.addEventListener('keydown', (event) => {
    // Enter that ends the composition of a character (Japanese, Chinese) is not for us.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    ui.composer.requestSubmit();
  });
  // The button does not take the focus, or the keyboard of a phone would go and come with each message.
  ui.send.addEventListener('mousedown', (event) => event.preventDefault());
}

/** Puts texts before what is in the box.
 * @param {string[]} texts */
export function putBack(texts) {
  ui.text.value = [...texts, ui.text.value].join('\n').trimEnd();
  showProblem();
}

/** Why something was not done, until the next is written. */
export function showProblem(problem = tooLong()) {
  // Where `field-sizing` is known, the style sheet does this.
  if (!CSS.supports('field-sizing', 'content')) {
    ui.text.style.height = 'auto';
    ui.text.style.height = `${ui.text.scrollHeight}px`;
  }
  setText(ui.hint, problem || HINT);
  ui.hint.classList.toggle('problem', problem !== '');
}

function tooLong() {
  const over = ui.text.value.length - TEXT_CHARS_MAX;
  return over > 0 ? `${over.toLocaleString()} characters too long` : '';
}
