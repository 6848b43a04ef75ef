/** Painting without a mouse: a crosshair that steps over the pixels, and what Enter does there. */

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * Moves the crosshair from pixel centre to pixel centre, by about a screen pixel a step.
 * @param {Desk} desk @param {number} dx steps to the right @param {number} dy steps down
 */
export function stepCrosshair(desk, dx, dy) {
  const { view, size } = desk;
  const step = Math.max(1, Math.round(1 / view.scale));
  const middle = { x: view.screen.width / 2, y: view.screen.height / 2 };
  const from = desk.cursor.point ?? view.toImage(middle);
  const point = {
    x: held(Math.floor(from.x) + dx * step, size.width) + 0.5,
    y: held(Math.floor(from.y) + dy * step, size.height) + 0.5,
  };
  desk.cursor = { point, isKeyboard: true };
  if (view.reveal(point)) desk.draw();
  desk.drawMarks();
  if (desk.tool.isActive) desk.tool.extend([point]);
  desk.tell("cursor");
}

/** Uses the tool at the crosshair; the first Enter puts that in the middle. @param {Desk} desk */
export function pressEnter(desk) {
  const { point } = desk.cursor;
  if (!desk.mayPaint()) return;
  if (desk.options.tool === "polygon") addCorner(desk, point);
  else if (!point) stepCrosshair(desk, 0, 0);
  else if (desk.tool.isActive) desk.tool.end();
  else begin(desk, point);
}

function begin(desk, point) {
  desk.tool.begin(point);
  if (desk.tool.isActive && !desk.tool.isInstant) {
    desk.say("Stroke begun: arrows go on, Enter ends it, Escape takes it back.");
  } else desk.tool.end();
}

/** By mouse Enter closes; by keyboard it adds a corner, and closes at the corner just set. */
function addCorner(desk, point) {
  const { polygon } = desk.tools;
  const last = polygon.corners.at(-1);
  const isSame = last && point && last.x === point.x && last.y === point.y;
  if (!point || !desk.cursor.isKeyboard || isSame) {
    polygon.close();
    return;
  }
  polygon.add(point);
  desk.say(`Corner ${polygon.corners.length}. Enter again here closes.`);
}

const held = (position, end) => Math.min(end - 1, Math.max(0, position));
