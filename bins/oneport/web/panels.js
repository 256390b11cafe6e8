/** What opens and closes: the invitation, and the list of people where there is no room beside the log. */

import { ui } from './dom.js';

const INVITE = ui.inviteLabel.textContent;
const COPIED_SHOWN_MS = 2_500;

let copiedTimer = 0;

export function hidePanels() {
  showPeople(false);
  ui.invitePanel.hidden = true;
}

/** @param {() => {link: string, copied: string}} invitation the link to this room, and what is said once
 *   it is copied */
export function listenToPanels(invitation) {
  ui.invite.addEventListener('click', () => copyLink(invitation()));
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

/** @param {{link: string, copied: string}} invitation */
async function copyLink({ link, copied }) {
  try {
    await navigator.clipboard.writeText(link);
    showCopied(copied);
  } catch {
    // Without TLS, or without permission: show it, selected, and try the old way.
    ui.inviteLink.value = link;
    ui.invitePanel.hidden = false;
    ui.inviteLink.focus();
    ui.inviteLink.select();
    if (document.execCommand('copy')) showCopied(copied);
  }
}

/** @param {string} copied */
function showCopied(copied) {
  clearTimeout(copiedTimer);
  ui.inviteLabel.textContent = copied;
  ui.invite.classList.add('done');
  copiedTimer = window.setTimeout(() => {
    ui.inviteLabel.textContent = INVITE;
    ui.invite.classList.remove('done');
  }, COPIED_SHOWN_MS);
}
