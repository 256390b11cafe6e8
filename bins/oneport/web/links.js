/** Web and mail addresses in what somebody wrote. */

const LINKS_MAX = 50;
const URL_CHARS_MAX = 2_000;

/** What an address is written with: not spaces and quotes, nothing invisible, no punctuation of wide scripts. */
const IN_URL = String.raw`[^\s<>"\p{C}\p{Default_Ignorable_Code_Point}\u3001\u3002\u3008-\u3011\u3014-\u301b\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f]`;

const HOST = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}`;

/** Each begins where no word does, so that no text is looked at twice. */
const ADDRESS = new RegExp(
  [
    String.raw`(?<![A-Za-z0-9_])(?<web>https?://${IN_URL}+)`,
    String.raw`(?<![\p{L}\p{N}_.@/:\-])(?<bare>www\.${IN_URL}+)`,
    String.raw`(?<![\p{L}\p{N}_.+%@/\-]|[\p{L}\p{N}]')(?<mail>[A-Za-z0-9][A-Za-z0-9_.+%'\-]{0,63}@${HOST})(?![\p{L}\p{N}_@\-]|\.[\p{L}\p{N}])`,
  ].join('|'),
  'giu',
);

const OPENERS = new Map(['()', '[]', '{}'].map(([opener, closer]) => [closer, opener]));
const OPENER = /[([{]/;

/** What ends a sentence, not an address. */
const PUNCTUATION = /[.,;:!?'*_…‘’“”«»‹›([{]/;

/** @typedef {{start: number, end: number, href: string}} Link */

/** Where the addresses are, and where they lead.
 * @param {string} text
 * @returns {Link[]} */
export function linksIn(text) {
  const links = [];
  ADDRESS.lastIndex = 0;
  for (let match = ADDRESS.exec(text); match !== null && links.length < LINKS_MAX; match = ADDRESS.exec(text)) {
    const { web, bare, mail } = match.groups ?? {};
    const address = mail ?? withoutPunctuation(web ?? bare);
    const href = mail !== undefined ? mailAddress(mail) : webAddress(bare === undefined ? address : `https://${address}`, bare !== undefined);
    if (href === '') continue;
    const end = match.index + address.length;
    links.push({ start: match.index, end, href });
    // What was cut off may have the next one.
    ADDRESS.lastIndex = end;
  }
  return links;
}

/** Up to a bracket that was not opened in the address, and without what ends the sentence around it.
 * @param {string} address */
function withoutPunctuation(address) {
  const open = [];
  let end = 0;
  for (; end < address.length; end += 1) {
    const char = address[end];
    if (OPENER.test(char)) open.push(char);
    else if (OPENERS.has(char) && open.pop() !== OPENERS.get(char)) break;
  }
  while (end > 0 && PUNCTUATION.test(address[end - 1])) end -= 1;
  return address.slice(0, end);
}

/** Addresses with a user name in them mostly want to look like another site's.
 * @param {string} address
 * @param {boolean} isBare written without `https://`, so that it must be a host's whole name */
function webAddress(address, isBare) {
  if (address.length > URL_CHARS_MAX) return '';
  try {
    const { protocol, username, password, hostname } = new URL(address);
    const isWeb = (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
    return isWeb && (!isBare || /^www(\.[^.]+){2,}$/i.test(hostname)) ? address : '';
  } catch {
    return '';
  }
}

/** Nothing in it may begin a subject or another recipient.
 * @param {string} address */
function mailAddress(address) {
  const at = address.lastIndexOf('@');
  return `mailto:${encodeURIComponent(address.slice(0, at))}@${address.slice(at + 1)}`;
}
