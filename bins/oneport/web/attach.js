/** The ways in which a file comes to the page: dropped, pasted, or chosen. */

import { ui } from './dom.js';

/** @param {(files: File[]) => void} offer */
export function listenToFiles(offer) {
  ui.attach.addEventListener('click', () => ui.files.click());
  ui.files.addEventListener('change', () => {
    offer([...(ui.files.files ?? [])]);
    // The same file again is a change as well.
    ui.files.value = '';
  });
  ui.text.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    offer(files);
  });
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    ui.root.toggleAttribute('data-drop', true);
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) ui.root.removeAttribute('data-drop');
  });
  addEventListener('drop', (event) => {
    ui.root.removeAttribute('data-drop');
    if (!hasFiles(event)) return;
    // Otherwise the browser would open the file in the place of the page.
    event.preventDefault();
    offer([...(event.dataTransfer?.files ?? [])]);
  });
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes('Files') ?? false;
}
