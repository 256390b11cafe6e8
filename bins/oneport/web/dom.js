/** The elements of index.html by what they are, and how to make and change others. */

export const ui = {
  root: document.documentElement,
  room: element('room', HTMLInputElement),
  roomForm: element('room-form', HTMLFormElement),
  lock: element('lock', HTMLElement),
  status: element('status', HTMLElement),
  countdown: element('countdown', HTMLElement),
  notice: element('notice', HTMLElement),
  noticeText: element('notice-text', HTMLElement),
  retry: element('retry', HTMLButtonElement),
  invite: element('invite', HTMLButtonElement),
  inviteLabel: element('invite-label', HTMLElement),
  invitePanel: element('invite-panel', HTMLElement),
  inviteLink: element('invite-link', HTMLInputElement),
  inviteClose: element('invite-close', HTMLButtonElement),
  inviteAbout: element('invite-about', HTMLElement),
  log: element('log', HTMLElement),
  messages: element('messages', HTMLOListElement),
  empty: element('empty', HTMLElement),
  emptyWords: element('empty-words', HTMLElement),
  emptyRoom: element('empty-room', HTMLElement),
  more: element('more', HTMLButtonElement),
  keeps: element('keeps', HTMLElement),
  composer: element('composer', HTMLFormElement),
  text: element('text', HTMLTextAreaElement),
  send: element('send', HTMLButtonElement),
  attach: element('attach', HTMLButtonElement),
  files: element('files', HTMLInputElement),
  recipient: element('recipient', HTMLElement),
  recipientName: element('recipient-name', HTMLElement),
  recipientGone: element('recipient-gone', HTMLElement),
  recipientClear: element('recipient-clear', HTMLButtonElement),
  name: element('name', HTMLInputElement),
  nameLock: element('name-lock', HTMLElement),
  meAvatar: element('me-avatar', HTMLElement),
  hint: element('hint', HTMLElement),
  typingNames: element('typing-names', HTMLElement),
  typingVerb: element('typing-verb', HTMLElement),
  people: element('people', HTMLUListElement),
  peopleCount: element('people-count', HTMLElement),
  peopleRest: element('people-rest', HTMLElement),
  kick: element('kick', HTMLDialogElement),
  kickForm: element('kick-form', HTMLFormElement),
  kickName: element('kick-name', HTMLElement),
  kickMessage: element('kick-message', HTMLInputElement),
  kickCancel: element('kick-cancel', HTMLButtonElement),
  privateRoom: element('private-room', HTMLButtonElement),
  privateAbout: element('private-about', HTMLElement),
  peopleToggle: element('people-toggle', HTMLButtonElement),
};

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} className
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A live region is read again when it is written, even with the same words.
 * @param {HTMLElement} target
 * @param {string} text */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** An input as wide as what is in it, where the style sheet cannot do it.
 * @param {HTMLInputElement} input */
export function fitInput(input) {
  if (!CSS.supports('field-sizing', 'content')) input.style.width = `${Math.max(input.value.length, 3) + 2}ch`;
}

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} #${id}`);
}
