/** What opens and closes: the invitation, and the list of people where there is no room beside the log. */

import { setText, ui } from './dom.js';
import { withdrawKick } from './kick.js';

const COPIED_SHOWN_MS = 2_500;

/** What the button says before, and what once the link is copied. */
const words = { invite: '', copied: '' };

let copiedTimer = 0;

/** Says what the link is good for that the button copies.
 * @param {import('./address.js').Place} place */
export function describeInvite({ token, key }) {
  const parts = [...(key === undefined ? [] : ['with the key']), ...(token === undefined ? [] : ['without your token'])].join(', ');
  words.invite = parts === '' ? 'Copy invite link' : `Copy link ${parts}`;
  words.copied = parts === '' ? 'Link copied' : `Copied, ${parts}`;
  const power = key === undefined ? '' : 'The link has the key: with it, all that is said here can be read. ';
  const entry = token === undefined ? 'Whoever has the link can come in.' : 'The link has no token: whoever opens it needs an invitation of their own.';
  setText(ui.inviteAbout, power + entry);
  ui.invite.title = power + entry;
  hideCopied();
}

export function hidePanels() {
  showPeople(false);
  ui.invitePanel.hidden = true;
  withdrawKick();
}

/** @param {() => string} link the one to this room */
export function listenToPanels(link) {
  ui.invite.addEventListener('click', () => copyLink(link()));
  ui.inviteClose.addEventListener('click', () => {
    hidePanels();
    ui.invite.focus();
  });
  ui.peopleToggle.addEventListener('click', () => showPeople(!ui.root.hasAttribute('data-people')));
  ui.log.addEventListener('click', () => showPeople(false));
}

/** @param {boolean} show */
function showPeople(show) {
  ui.root.toggleAttribute('data-people', show);
  ui.peopleToggle.setAttribute('aria-expanded', String(show));
}

/** @param {string} link */
async function copyLink(link) {
  try {
    await navigator.clipboard.writeText(link);
    showCopied();
  } catch {
    // Without TLS, or without permission: in the old way, and if that fails it is shown, selected.
    ui.inviteLink.value = link;
    ui.invitePanel.hidden = false;
    ui.inviteLink.focus();
    ui.inviteLink.select();
    if (!document.execCommand('copy')) return;
    ui.invitePanel.hidden = true;
    ui.invite.focus();
    showCopied();
  }
}

function showCopied() {
  clearTimeout(copiedTimer);
  ui.invitePanel.hidden = true;
  setText(ui.inviteLabel, words.copied);
  ui.invite.classList.add('done');
  copiedTimer = window.setTimeout(hideCopied, COPIED_SHOWN_MS);
}

function hideCopied() {
  clearTimeout(copiedTimer);
  setText(ui.inviteLabel, words.invite);
  ui.invite.classList.remove('done');
}
