/** A line chart that draws itself: the last minutes of one or two series. */

/** How many samples there are at most: three minutes of seconds. */
const SAMPLES = 180;
const WIDTH = 360;
const HEIGHT = 120;
const SVG = 'http://www.w3.org/2000/svg';

export class Chart {
  /** @type {(number | null)[][]} */ #series;
  #format;
  #now;
  #lines;
  #top;
  #svg;
  #title;

  /**
   * @param {HTMLElement} parent
   * @param {string} title
   * @param {string[]} names of the series, empty for a single one
   * @param {(value: number) => string} format
   */
  constructor(parent, title, names, format) {
    this.#title = title;
    this.#format = format;
    this.#series = names.map(() => []);
    const figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    const heading = document.createElement('b');
    heading.textContent = title;
    this.#now = document.createElement('span');
    this.#now.className = 'now';
    this.#now.append(...names.map(() => document.createElement('span')));
    this.names = names;
    caption.append(heading, this.#now);
    this.#svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
    for (const y of [0, HEIGHT / 2, HEIGHT]) {
      this.#svg.append(shape('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y }));
    }
    this.#lines = names.map((_, at) => shape('path', { class: at === 0 ? 'series' : 'series second' }));
    this.#svg.append(...this.#lines);
    this.#top = document.createElement('span');
    this.#top.className = 'soft';
    caption.insertBefore(this.#top, this.#now);
    figure.append(caption, this.#svg);
    parent.append(figure);
  }

  /** One more moment; where nothing is known of it, the line is broken.
   * @param {(number | null)[]} values */
  push(values) {
    this.#series.forEach((series, at) => {
      series.push(values[at] ?? null);
      if (series.length > SAMPLES) series.shift();
    });
    this.#draw(values);
  }

  /** @param {(number | null)[]} values */
  #draw(values) {
    const known = this.#series.flat().filter((value) => value !== null);
    const top = nice(Math.max(0, ...known));
    this.#top.textContent = `to ${this.#format(top)}`;
    this.#series.forEach((series, at) => this.#lines[at].setAttribute('d', path(series, top)));
    const said = values.map((value) => (value === null || value === undefined ? '–' : this.#format(value)));
    said.forEach((text, at) => {
      const name = this.names[at];
      this.#now.children[at].textContent = name === '' ? text : `${name} ${text}`;
    });
    this.#svg.setAttribute('aria-label', `${this.#title}: ${this.#now.textContent}`);
  }
}

/** @param {(number | null)[]} series @param {number} top */
function path(series, top) {
  const first = SAMPLES - series.length;
  let isBroken = true;
  return series.map((value, at) => {
    if (value === null) {
      isBroken = true;
      return '';
    }
    const x = ((first + at) / (SAMPLES - 1)) * WIDTH;
    const y = HEIGHT - (value / top) * HEIGHT;
    const step = `${isBroken ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isBroken = false;
    return step;
  }).join('');
}

/** The next of 1, 2 and 5 times a power of ten. @param {number} value */
function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((factor) => value <= factor * power) ?? 10;
  return factor * power;
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
