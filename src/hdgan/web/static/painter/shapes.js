/**
 * The pixels of what is drawn freehand, as spans: strokes and polygons. Pure functions.
 *
 * Pixel (column i, row j) has its centre at (i + .5, j + .5).
 *
 * @typedef {{width: number, height: number}} Size
 * @typedef {{x: number, y: number}} Point  in image coordinates
 * @typedef {Int32Array} Spans  triples: row, first column, column after the last
 */

/**
 * Pixels whose centre is within half the diameter of the polyline; one point is a dot.
 * A brush of one pixel also takes the pixel under every point.
 * @param {Size} size @param {Point[]} points @param {number} diameter @returns {Spans}
 */
export function strokeSpans(size, points, diameter) {
  const spans = new SpanList();
  if (points.length === 1) addCapsule(spans, size, points[0], points[0], diameter / 2);
  for (let k = 1; k < points.length; k += 1) {
    addCapsule(spans, size, points[k - 1], points[k], diameter / 2);
  }
  if (diameter < 2) for (const point of points) addPixelUnder(spans, size, point);
  return spans.done();
}

/**
 * Pixels whose centre is inside by the even-odd rule.
 * @param {Size} size @param {Point[]} points the corners; the last joins the first
 * @returns {Spans}
 */
export function polygonSpans(size, points) {
  const spans = new SpanList();
  const heights = points.map((point) => point.y);
  const lowest = heights.reduce((a, b) => Math.min(a, b), Infinity);
  const highest = heights.reduce((a, b) => Math.max(a, b), -Infinity);
  const end = Math.min(size.height, Math.ceil(highest + 1));
  for (let row = Math.max(0, Math.floor(lowest) - 1); row < end; row += 1) {
    const crossings = crossingsOf(points, row + 0.5);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      spans.add(row, firstFrom(crossings[k], size.width), firstFrom(crossings[k + 1], size.width));
    }
  }
  return spans.done();
}

/** Spans as they are found. */
export class SpanList {
  constructor() {
    this.values = new Int32Array(384);
    this.length = 0;
  }

  add(row, first, end) {
    if (first >= end) return;
    if (this.length + 3 > this.values.length) {
      const longer = new Int32Array(this.values.length * 2);
      longer.set(this.values);
      this.values = longer;
    }
    this.values[this.length] = row;
    this.values[this.length + 1] = first;
    this.values[this.length + 2] = end;
    this.length += 3;
  }

  done() {
    return this.values.subarray(0, this.length);
  }
}

function addPixelUnder(spans, size, { x, y }) {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const inside = column >= 0 && row >= 0 && column < size.width && row < size.height;
  if (inside) spans.add(row, column, column + 1);
}

function addCapsule(spans, size, from, to, radius) {
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius) - 1);
  const end = Math.min(size.height, Math.ceil(Math.max(from.y, to.y) + radius) + 1);
  for (let row = top; row < end; row += 1) {
    const y = row + 0.5;
    const [low, high] = capsuleInterval(from, to, radius, y);
    if (low > high) continue;
    const within = (column) => isWithin(column + 0.5, y, from, to, radius);
    // The square roots are rounded: the ends are settled by the exact comparison.
    let first = Math.ceil(low - 0.5);
    let last = Math.floor(high - 0.5);
    if (within(first - 1)) first -= 1;
    else while (first <= last && !within(first)) first += 1;
    if (within(last + 1)) last += 1;
    else while (last >= first && !within(last)) last -= 1;
    spans.add(row, Math.max(0, first), Math.min(size.width, last + 1));
  }
}

function capsuleInterval(from, to, radius, y) {
  let low = Infinity;
  let high = -Infinity;
  for (const end of [from, to]) {
    const square = radius * radius - (y - end.y) ** 2;
    if (square < 0) continue;
    low = Math.min(low, end.x - Math.sqrt(square));
    high = Math.max(high, end.x + Math.sqrt(square));
  }
  const [left, right] = stripInterval(from, to, radius, y - from.y);
  return left <= right ? [Math.min(low, left), Math.max(high, right)] : [low, high];
}

/** Where a row runs through the rectangle between the two round ends. */
function stripInterval(from, to, radius, rise) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  if (length === 0) return [1, 0];
  const across = between(dy, rise * dx - radius * length, rise * dx + radius * length);
  const along = between(dx, -rise * dy, length * length - rise * dy);
  return [from.x + Math.max(across[0], along[0]), from.x + Math.min(across[1], along[1])];
}

/** All u with low <= slope * u <= high. */
function between(slope, low, high) {
  if (slope === 0) return low <= 0 && high >= 0 ? [-Infinity, Infinity] : [1, 0];
  return slope > 0 ? [low / slope, high / slope] : [high / slope, low / slope];
}

/** Without a division, so that ties are decided exactly. */
function isWithin(x, y, from, to, radius) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const ax = x - from.x;
  const ay = y - from.y;
  const along = ax * dx + ay * dy;
  const square = dx * dx + dy * dy;
  if (along <= 0) return ax * ax + ay * ay <= radius * radius;
  if (along >= square) return (x - to.x) ** 2 + (y - to.y) ** 2 <= radius * radius;
  return (ax * dy - ay * dx) ** 2 <= radius * radius * square;
}

function crossingsOf(points, y) {
  const crossings = [];
  let from = points[points.length - 1];
  for (const to of points) {
    if (from.y <= y !== to.y <= y) {
      crossings.push(from.x + ((y - from.y) * (to.x - from.x)) / (to.y - from.y));
    }
    from = to;
  }
  return crossings.sort((a, b) => a - b);
}

/** The first column whose centre is not left of x. */
function firstFrom(x, width) {
  let column = Math.ceil(x - 0.5);
  if (column + 0.5 < x) column += 1;
  return Math.min(width, Math.max(0, column));
}
