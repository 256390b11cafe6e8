// Runs in every document of a test's page, before the page's own scripts.

// Every peer connection that the page makes, to count them and to cut them.
window.peers = [];
window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
  construct(target, given, self) {
    const peer = Reflect.construct(target, given, self);
    peers.push(peer);
    return peer;
  },
});

// While it is cut, the network is gone for signaling as well.
window.isCut = false;
window.uncutFetch = window.fetch;
window.fetch = (...given) => (isCut ? Promise.reject(new TypeError('cut')) : uncutFetch(...given));
window.cut = () => {
  isCut = true;
  peers.forEach((peer) => peer.close());
  dispatchEvent(new Event('online'));
};
window.mend = () => {
  isCut = false;
  dispatchEvent(new Event('online'));
};

// Every state that the page shows, one after the other, and when each message was first shown.
window.states = [];
window.arrivals = {};
new MutationObserver((changes) => {
  for (const { type, addedNodes } of changes) {
    if (type === 'attributes') states.push(document.documentElement.dataset.state);
    for (const line of addedNodes) {
      if (line instanceof HTMLLIElement && line.dataset.id) arrivals[line.querySelector('.text')?.textContent] ??= Date.now();
    }
  }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] });

// What files become.
window.blobs = {};
window.makeUrl = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  const url = makeUrl.call(URL, blob);
  blobs[url] = blob;
  return url;
};
window.revoked = [];
window.revokeUrl = URL.revokeObjectURL;
URL.revokeObjectURL = (url) => {
  revoked.push(url);
  revokeUrl.call(URL, url);
};

// Headless pages are never in the background.
window.hide = (isHidden) => {
  Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
};

window.all = (selector) => [...document.querySelectorAll(selector)];
window.shown = (selector) => all(selector).map(({ textContent }) => textContent);
window.notes = () => shown('#messages > .note');
window.present = () => shown('#people > li:not([data-away]) .name');
window.away = () => shown('#people > li[data-away] .name');
window.personOf = (name) => all('#people > li').find((line) => line.querySelector('.name').textContent === name);
window.lineOf = (text) => all('#messages > li[data-id]').find((line) => line.querySelector('.text').textContent === text);

window.hash = async (data) => {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
};

// Drops files on the page.
window.drop = (...files) => {
  const dataTransfer = new DataTransfer();
  files.forEach((file) => dataTransfer.items.add(file));
  for (const type of ['dragover', 'drop']) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }
};

// Bytes that no error could leave right.
window.noise = (length) => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  return bytes;
};

// What is wider than a screen of this width, what is cut off by it, and what of the composer is not on it.
// A phone shows a page that is too wide by zooming out: then `innerWidth` is larger.
window.layoutProblems = (width) => {
  const problems = [];
  if (innerWidth !== width) problems.push(`the viewport is ${innerWidth} wide`);
  for (const selector of ['html', 'body', 'main', '#log', '#messages', '#composer', '.card', '#people-panel']) {
    const { scrollWidth, clientWidth } = document.querySelector(selector);
    if (scrollWidth > Math.max(clientWidth, selector === 'html' ? width : 0)) problems.push(`${selector} is ${scrollWidth} wide instead of ${clientWidth}`);
  }
  for (const bubble of all('.bubble')) {
    if (bubble.scrollWidth > bubble.clientWidth + 1) problems.push(`a bubble cuts off ${bubble.scrollWidth - bubble.clientWidth} px of ${bubble.textContent}`);
  }
  for (const selector of ['#composer', '#attach', '#text', '#send', '#name', '#invite']) {
    const { top, left, bottom, right } = document.querySelector(selector).getBoundingClientRect();
    if (top < -0.5 || left < -0.5 || bottom > innerHeight + 0.5 || right > width + 0.5 || bottom <= top) problems.push(`${selector} is at ${[left, top, right, bottom]}`);
  }
  const isShortened = (element) => {
    const { overflowX, textOverflow } = getComputedStyle(element);
    return overflowX === 'hidden' && textOverflow === 'ellipsis';
  };
  for (const element of all('body *:not(.for-readers)')) {
    const { left, right, height } = element.getBoundingClientRect();
    if (height < 2 || right - left < 2 || (left > -1 && right < width + 1)) continue;
    let around = element.parentElement;
    while (around !== null && !isShortened(around)) around = around.parentElement;
    if (around === null) problems.push(`${element.localName}#${element.id}.${element.className.baseVal ?? element.className} is from ${left} to ${right}`);
  }
  return problems;
};
