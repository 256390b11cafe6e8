/** What members are called: one line, harmless to look at, as long as the protocol allows. */

/** A member without a name: a page without the library. */
export const STRANGER = 'someone';

/** Who is not in the room and speaks for its operator (PROTOCOL.md section 6, `msg`). */
export const RELAY_ID = 0;
const THE_RELAY = 'the relay';

/** Of UTF-8 (PROTOCOL.md section 4). */
const NAME_BYTES_MAX = 64;

/** Of a name in a sentence of the page. */
const SHORT_BYTES_MAX = 24;

/** Emoji whose joiners, selectors and tags are part of a picture; and, in scripts that need them, joiners
 * between two letters. Everything else that is invisible goes. */
const KEPT = String.raw`\p{RGI_Emoji}|(?<=[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}])[\u200c\u200d](?=[\p{L}\p{M}])`;

/** Characters that show nothing but take space, and those that end a line. */
const BLANK = String.raw`[\p{Z}\p{Cc}\u115f\u1160\u2800\u3164\uffa0\u{13441}\u{13442}\u{1d159}]`;

/** Characters that show nothing and take no space, change the writing direction, or are none. */
const INVISIBLE = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Noncharacter_Code_Point}\p{Surrogate}\ufffc]`;

/** What needs no change: most names. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;

const UNSEEN = new RegExp(`(?<kept>${KEPT})|(?<blank>${BLANK})|${INVISIBLE}`, 'gv');

/** Where a name may be cut without changing a character. */
const GRAPHEMES = typeof Intl.Segmenter === 'function' ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : null;

const UTF8 = new TextEncoder();

/** Letters of other scripts, digits and signs that look like these (a part of Unicode's confusables.txt), in lower
 * case: an upper-case letter is here by its small one. */
const LOOKALIKES = Object.entries({
  t: 'τтᴛꭲŧƭ†7',
  h: 'һհнηʜꮒħɦᏂ',
  e: 'еҽєεəɛᴇꭼ℮ҿ3€',
  r: 'гᴦʀɾꭇꮁⲅꮢяɼ',
  l: 'iıιіӏןוⵏǀߊʟꮮլłɭاᏞ1|!',
  a: 'аαɑᴀ⍺ꭺ4@',
  y: 'уүυγʏყɣꮍỿ¥',
});

/** Letters in boxes and discs, and those that flags are made of: the first of each alphabet. */
const BOXED_A = [0x1f150, 0x1f170, 0x1f1e6];

const RELAY_LIKE = likenessOf(THE_RELAY);

/** One line without what is invisible, turns the writing direction, or towers over other lines.
 * @param {unknown} value
 * @param {number} bytesMax of UTF-8 */
export function cleanLine(value, bytesMax) {
  if (typeof value !== 'string') return '';
  if (value.length <= bytesMax && PLAIN.test(value)) return value;
  const line = value
    .slice(0, 4 * bytesMax)
    .replace(UNSEEN, (...match) => {
      const { kept, blank } = match.at(-1);
      return kept ?? (blank === undefined ? '' : ' ');
    })
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/ +/g, ' ')
    .trim();
  // Marks without a letter would stand on what is before the name.
  if (!/[\p{L}\p{N}\p{P}\p{S}\p{Co}]/u.test(line)) return '';
  return cutBytes(line, bytesMax).trim();
}

/** A name as it is shown and sent; empty if there is nothing to see, or if it is the relay's.
 * @param {unknown} value */
export function cleanName(value) {
  const name = cleanLine(value, NAME_BYTES_MAX);
  return RELAY_LIKE.test(name.normalize('NFKD').toLowerCase()) ? '' : name;
}

/** @param {Readonly<{id?: number, name?: string}>|undefined} member */
export function nameOf(member) {
  if (member?.id === RELAY_ID) return THE_RELAY;
  return cleanName(member?.name) || STRANGER;
}

/** A name where there is little room.
 * @param {string} name */
export function shortName(name) {
  const short = cutBytes(name, SHORT_BYTES_MAX);
  return short === name ? name : `${short.trimEnd()}…`;
}

/** As much of a name as is allowed, of what somebody types.
 * @param {string} typed */
export function cutName(typed) {
  return cutBytes(typed, NAME_BYTES_MAX);
}

/** The first whole characters of a text, as a reader counts them, that have at most so many bytes.
 * @param {string} text
 * @param {number} bytesMax of UTF-8 */
export function cutBytes(text, bytesMax) {
  if (UTF8.encode(text).length <= bytesMax) return text;
  // No character has less than a byte.
  const start = text.slice(0, bytesMax + 1);
  const parts = charactersOf(start);
  let bytes = 0;
  let kept = '';
  for (const part of parts) {
    bytes += UTF8.encode(part).length;
    if (bytes > bytesMax) break;
    kept += part;
  }
  return kept;
}

/** The characters of a text, as a reader counts them.
 * @param {string} text */
export function charactersOf(text) {
  return GRAPHEMES === null ? Array.from(text) : Array.from(GRAPHEMES.segment(text), ({ segment }) => segment);
}

/** What matches all that looks like this name at a glance: marks, spaces and punctuation do not count.
 * @param {string} name */
function likenessOf(name) {
  const between = String.raw`[^\p{L}\p{N}]*`;
  const letters = Array.from(name.replaceAll(' ', ''), (letter) => {
    const boxed = BOXED_A.map((first) => String.fromCodePoint(first + letter.charCodeAt(0) - 'a'.charCodeAt(0)));
    const [, others = ''] = LOOKALIKES.find(([latin]) => latin === letter) ?? [];
    return `[${letter}${others}${boxed.join('')}]`;
  });
  return new RegExp(`^${between}${letters.join(between)}${between}$`, 'u');
}
