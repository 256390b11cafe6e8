/** From totals to what people read. */

/**
 * How many per second, between two answers of the same run of the relay.
 * @param {number} before @param {number} after @param {number} seconds
 */
export function rate(before, after, seconds) {
  return seconds > 0 ? Math.max(0, after - before) / seconds : null;
}

/**
 * A quantile, in milliseconds, of what was counted between two answers, to within a class.
 * @param {[number | null, number][]} before @param {[number | null, number][]} after
 * @param {number} share
 */
export function quantile(before, after, share) {
  const counts = after.map(([, count], at) => count - (before[at]?.[1] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let left = share * total;
  let lower = 0;
  for (const [at, count] of counts.entries()) {
    const upper = after[at][0];
    if (left <= count && count > 0) {
      return upper === null ? lower : lower + (upper - lower) * (left / count);
    }
    left -= count;
    lower = upper ?? lower;
  }
  return lower;
}

/** @param {number} value */
export function number(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return value >= 10 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}

/** @param {number} value */
export function bytes(value) {
  for (const [unit, size] of /** @type {[string, number][]} */ ([['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]])) {
    if (value >= size) return `${(value / size).toFixed(value >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return `${value.toFixed(0)} B`;
}

/** @param {number} ms */
export function time(ms) {
  if (ms >= 10000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 10) return `${ms.toFixed(0)} ms`;
  return ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1000).toFixed(0)} µs`;
}

/** @param {number} seconds */
export function span(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
