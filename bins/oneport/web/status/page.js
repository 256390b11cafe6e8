/** The operator's page: asks the relay each second how it does, and shows it. */

import { Chart } from './chart.js';
import { bytes, number, quantile, rate, span, time } from './figures.js';

const PERIOD_MS = 1000;
/** An answer that takes longer is of no use to somebody who looks at it. */
const PATIENCE_MS = 5000;
const TOKEN = 'oneport-status-token';

const root = document.documentElement;
const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const form = /** @type {HTMLFormElement} */ (at('token-form'));
const input = /** @type {HTMLInputElement} */ (at('token'));

const perSecond = (/** @type {number} */ value) => `${number(value)}/s`;
const charts = {
  links: new Chart(at('charts'), 'Links', [''], number),
  messages: new Chart(at('charts'), 'Messages', [''], perSecond),
  deliveries: new Chart(at('charts'), 'Deliveries', [''], perSecond),
  turn: new Chart(at('charts'), 'A turn of the loop', ['p50', 'p99'], time),
  queue: new Chart(at('charts'), 'Waiting to be sent', ['p50', 'p99'], time),
  traffic: new Chart(at('charts'), 'Traffic', ['in', 'out'], (value) => `${bytes(value)}/s`),
};

/** The answer before, and when it came. @type {{ data: any, when: number } | null} */
let last = null;
/** The run of the relay that was seen first. @type {number | null} */
let run = null;
/** When it was seen to be another one. */
let restarted = '';
let lostSince = 0;

/** @param {string} state @param {string} text */
function say(state, text) {
  root.dataset.state = state;
  if (at('state').textContent !== text) at('state').textContent = text;
}

async function look() {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token === null ? undefined : { Authorization: `Bearer ${token}` };
  const response = await fetch('/status/data', { headers, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  if (response.ok) return { data: await response.json() };
  const problem = await response.json().catch(() => ({}));
  return { problem: { status: response.status, code: problem.code ?? '', detail: problem.detail ?? response.statusText } };
}

async function turn() {
  try {
    const { data, problem } = await look();
    if (problem === undefined) show(data);
    else if (problem.status === 401 || problem.status === 403) return ask(problem);
    else lost(problem.detail);
  } catch {
    lost('the relay does not answer');
  }
  setTimeout(turn, PERIOD_MS);
}

/** @param {{ code: string, detail: string }} problem */
function ask(problem) {
  say('lost', problem.code === 'operator_is_local' ? 'Not from here' : 'A token is needed');
  at('token-why').textContent = problem.code === 'token_missing'
    ? 'This page is for whoever runs the relay.'
    : `The relay says: ${problem.detail}.`;
  at('main').hidden = true;
  form.hidden = false;
  input.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, input.value.trim());
  input.value = '';
  form.hidden = true;
  say('connecting', 'Connecting');
  void turn();
});

/** @param {string} why */
function lost(why) {
  lostSince ||= Date.now();
  const seconds = Math.round((Date.now() - lostSince) / 1000);
  say('lost', `Lost for ${seconds} s: ${why}`);
  for (const chart of Object.values(charts)) chart.push(chart.names.map(() => null));
}

/** @param {any} data */
function show(data) {
  const when = performance.now();
  if (run !== null && run !== data.started_ms) {
    restarted = `, restarted at ${clock(Date.now())}`;
    last = null;
  }
  run = data.started_ms;
  lostSince = 0;
  say('live', `${data.is_shutting_down ? 'Shutting down' : 'Live'}${restarted}`);
  at('facts').textContent = `version ${data.version}, up ${span(data.uptime_s)}`;
  form.hidden = true;
  at('main').hidden = false;
  draw(data, when);
  tiles(data, when);
  list('behind', 'nobody', data.behind, behind);
  list('closes', 'no-closes', data.closes, close);
  last = { data, when };
}

/** @param {any} data @param {number} when */
function draw(data, when) {
  const per = (/** @type {string} */ name) => (last === null ? null
    : rate(last.data.totals[name], data.totals[name], (when - last.when) / 1000));
  const of = (/** @type {string} */ name, /** @type {number} */ share) => (last === null ? null
    : quantile(last.data[name], data[name], share));
  charts.links.push([data.links]);
  charts.messages.push([per('messages')]);
  charts.deliveries.push([per('deliveries')]);
  charts.turn.push([of('turn', .5), of('turn', .99)]);
  charts.queue.push([of('queue', .5), of('queue', .99)]);
  charts.traffic.push([per('bytes_in'), per('bytes_out')]);
}

/** @param {any} data @param {number} when */
function tiles(data, when) {
  const sent = last === null ? 0 : data.totals.deliveries - last.data.totals.deliveries;
  const packets = last === null ? 0 : data.totals.datagrams_out - last.data.totals.datagrams_out;
  const cpu = last === null || data.cpu_ms === null ? null : rate(last.data.cpu_ms, data.cpu_ms, (when - last.when) / 1000);
  /** @type {[string, string, string][]} */
  const all = [
    ['Links', number(data.links), `of ${number(data.links_max)}, ${data.handshakes} connecting`],
    ['Rooms', number(data.rooms), `${number(data.members)} members, ${data.members_away} away`],
    ['Packets per delivery', sent === 0 ? '–' : (packets / sent).toFixed(2), 'in the last second'],
    ['Processor', cpu === null ? '–' : `${(cpu / 10).toFixed(0)} %`, 'of one core'],
    ['Memory', data.resident_bytes === null ? '–' : bytes(data.resident_bytes), `${bytes(data.ring_bytes)} in rings`],
    ['Open files', data.open_fds === null ? '–' : number(data.open_fds), data.fds_max === null ? '' : `of ${number(data.fds_max)}`],
    ['Lost to the slow', number(data.totals.gaps + data.totals.lossy_dropped), `${data.totals.gaps} gaps, ${data.totals.lossy_dropped} lossy`],
    ['Refused offers', number(data.totals.refusals), `${data.totals.closes} links ended`],
  ];
  at('tiles').replaceChildren(...all.map(([name, value, more]) => {
    const tile = document.createElement('div');
    const [dt, dd, small] = ['dt', 'dd', 'small'].map((tag) => document.createElement(tag));
    dt.textContent = name;
    dd.textContent = value;
    small.textContent = more;
    dd.append(document.createElement('br'), small);
    tile.append(dt, dd);
    return tile;
  }));
}

/**
 * @param {string} id @param {string} none @param {any[]} rows
 * @param {(row: any) => [string, string][]} cells of a row, by class and text
 */
function list(id, none, rows, cells) {
  at(none).hidden = rows.length > 0;
  at(id).replaceChildren(...rows.map((row) => {
    const line = document.createElement('li');
    line.append(...cells(row).map(([name, text]) => {
      const cell = document.createElement('span');
      cell.className = name;
      cell.textContent = text;
      return cell;
    }));
    return line;
  }));
}

/** @param {any} row @returns {[string, string][]} */
function behind(row) {
  return [
    ['when', time(row.waits_ms)],
    ['link', row.link === null ? 'away' : `link ${row.link}`],
    ['session', row.session ?? 'plain'],
    ['room', row.room],
    ['why', `${row.entries} messages, ${bytes(row.bytes)}`],
  ];
}

/** @param {any} row @returns {[string, string][]} */
function close(row) {
  return [
    ['when', clock(row.at_ms)],
    ['link', `link ${row.link}`],
    ['session', row.session ?? 'plain'],
    ['room', row.room],
    ['why', row.reason],
  ];
}

/** @param {number} ms */
function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

void turn();
