// A map of photos: points that are drawn around, by mouse, finger or keys, to be opened.

const maps = new Map(); // by root, since the page calls again with each run
const FINEST = 65535; // places are whole numbers up to this
const SHADES = 32;
const NEAR = 12; // pixels around a click
const EDGE = 10; // pixels without points
const STEP = 0.04; // of the plane, for an arrow key
const SENT = 2000; // points at most, the best
const UP = 1;
const DOWN = 2;
// By lightness alone, which every eye tells apart: what scores more stands out from the paper more.
const RAMPS = {
  light: [[178, 186, 184], [70, 150, 150], [4, 50, 62]],
  dark: [[74, 86, 92], [45, 150, 138], [222, 255, 244]],
};

export default function ({ parentElement, data, setTriggerValue }) {
  const map = maps.get(parentElement) ?? new PhotoMap(parentElement);
  maps.set(parentElement, map);
  map.open = (points) => setTriggerValue("open", { stamp: data.stamp, points });
  map.take(data);
  return () => map.leave();
}

class PhotoMap {
  constructor(root) {
    this.root = root;
    const find = (selector) => root.querySelector(selector);
    [this.whole, this.plane, this.legend, this.said] = [".map", ".plane", ".legend", ".said"].map(find);
    [this.points, this.drawing] = [".points", ".drawing"].map(find);
    this.buttons = { open: find(".open"), closer: find(".closer"), whole: find("button.whole") };
    this.by = "scores";
    this.view = [0, 0, 1, 1]; // left, top, right, bottom: the part of the plane on screen
    this.frame = [0.4, 0.4, 0.6, 0.6]; // the same of what is on screen, for the keys
    this.selected = null;
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.plane);
    this.listen();
  }

  leave() {
    this.watch.disconnect();
    maps.delete(this.root);
  }

  listen() {
    const { plane, buttons } = this;
    plane.addEventListener("transitionend", () => this.draw());
    plane.addEventListener("pointerdown", (event) => this.begin(event));
    plane.addEventListener("pointermove", (event) => this.go(event));
    plane.addEventListener("pointerup", () => this.end());
    plane.addEventListener("pointercancel", () => this.drop());
    plane.addEventListener("keydown", (event) => this.key(event));
    plane.addEventListener("focus", () => this.showFrame());
    plane.addEventListener("blur", () => this.hideFrame());
    buttons.open.addEventListener("click", () => this.open(this.selected.slice(-SENT)));
    buttons.closer.addEventListener("click", () => this.show(this.around(this.selected)));
    buttons.whole.addEventListener("click", () => {
      this.show([0, 0, 1, 1]);
      plane.focus(); // the button is gone, and the keys would start at the page's top
    });
    for (const button of this.root.querySelectorAll("[data-by]")) {
      button.addEventListener("click", () => this.colour(button.dataset.by));
    }
  }

  // ---- what the page sends

  take(data) {
    const same = this.data?.stamp === data.stamp;
    this.data = data;
    this.places = new Uint16Array(bytes(data.places).buffer);
    this.scores = bytes(data.scores);
    this.marks = bytes(data.marks);
    if (!same) this.selected = null;
    this.draw();
    this.tell();
    // When it is on the screen: the frame after the one that draws it.
    requestAnimationFrame(() => setTimeout(() => performance.mark("map-painted")));
  }

  // ---- drawing

  draw() {
    if (!this.data) return;
    const style = getComputedStyle(this.plane);
    this.dark = lightness(style.backgroundColor) < 0.5;
    this.whole.classList.toggle("dark", this.dark);
    this.ramp = shades(RAMPS[this.dark ? "dark" : "light"]);
    const ink = fitted(this.points);
    this.width = this.plane.clientWidth;
    this.height = this.plane.clientHeight;
    this.locate();
    const chosen = this.selected && new Set(this.selected);
    const all = [...this.scores.keys()];
    if (chosen) {
      ink.globalAlpha = 0.22;
      this.put(ink, all.filter((at) => !chosen.has(at)));
      ink.globalAlpha = 1;
    }
    this.put(ink, this.selected ?? all);
    this.explain();
  }

  // Where each point is on the screen.
  locate() {
    const [left, top, right, bottom] = this.view;
    const across = (this.width - 2 * EDGE) / (right - left);
    const down = (this.height - 2 * EDGE) / (bottom - top);
    const n = this.scores.length;
    this.x = new Float32Array(n);
    this.y = new Float32Array(n);
    for (let at = 0; at < n; at++) {
      this.x[at] = EDGE + (this.places[2 * at] / FINEST - left) * across;
      this.y[at] = EDGE + (this.places[2 * at + 1] / FINEST - top) * down;
    }
  }

  put(ink, points) {
    const zoomed = this.view[2] - this.view[0] < 0.5;
    const side = this.scores.length > 20000 && !zoomed ? 2 : this.scores.length > 4000 ? 3 : 5;
    const plain = this.by === "scores" ? points : points.filter((at) => !this.marks[at]);
    // In the order of their scores, so that the shade changes rarely and the best lie on top.
    let shade = -1;
    for (const at of plain) {
      const wanted = this.by === "scores" ? (this.scores[at] * SHADES) >> 8 : 0;
      if (wanted !== shade) ink.fillStyle = this.ramp[wanted];
      shade = wanted;
      ink.fillRect(this.x[at] - side / 2, this.y[at] - side / 2, side, side);
    }
    if (this.by === "scores") return;
    const style = getComputedStyle(this.whole);
    const [up, down] = ["--up", "--down"].map((name) => style.getPropertyValue(name));
    for (const at of points) if (this.marks[at]) this.mark(ink, at, up, down);
  }

  // Thumbs by shape too: a disc is up, a cross is down.
  mark(ink, at, up, down) {
    const [x, y] = [this.x[at], this.y[at]];
    if (this.marks[at] === UP) {
      ink.fillStyle = up;
      ink.beginPath();
      ink.arc(x, y, 5, 0, 2 * Math.PI);
      ink.fill();
    } else if (this.marks[at] === DOWN) {
      ink.strokeStyle = down;
      ink.lineWidth = 2.5;
      ink.beginPath();
      ink.moveTo(x - 4, y - 4);
      ink.lineTo(x + 4, y + 4);
      ink.moveTo(x + 4, y - 4);
      ink.lineTo(x - 4, y + 4);
      ink.stroke();
    }
  }

  explain() {
    const legend = [];
    if (this.by === "scores") {
      const ramp = element("span", "ramp", "");
      ramp.style.background = `linear-gradient(to right, ${this.ramp.join(",")})`;
      legend.push(element("span", "", this.data.low.toFixed(3)), ramp, element("span", "", this.data.high.toFixed(3)));
    } else {
      const count = (mark) => this.marks.reduce((sum, one) => sum + (one === mark), 0).toLocaleString("en");
      legend.push(element("span", "up", `● ${count(UP)} up`), element("span", "down", `✕ ${count(DOWN)} down`));
    }
    this.legend.replaceChildren(...legend);
  }

  colour(by) {
    this.by = by;
    for (const button of this.root.querySelectorAll("[data-by]")) {
      button.setAttribute("aria-pressed", String(button.dataset.by === by));
    }
    this.draw();
  }

  show(view) {
    this.view = view;
    this.draw();
    this.tell();
  }

  // The part of the plane that some points fill, and a little more.
  around(points) {
    const xs = points.map((at) => this.places[2 * at] / FINEST);
    const ys = points.map((at) => this.places[2 * at + 1] / FINEST);
    const span = (all) => {
      const low = all.reduce((a, b) => Math.min(a, b));
      const high = all.reduce((a, b) => Math.max(a, b));
      const spare = Math.max((high - low) * 0.05, 0.005);
      return [low - spare, high + spare];
    };
    const [[left, right], [top, bottom]] = [span(xs), span(ys)];
    return [left, top, right, bottom];
  }

  // ---- selecting

  begin(event) {
    if (event.button) return;
    this.plane.setPointerCapture(event.pointerId);
    this.lasso = [[event.offsetX, event.offsetY]];
  }

  go(event) {
    if (!this.lasso) return;
    this.lasso.push([event.offsetX, event.offsetY]);
    this.outline(lassoPath(this.lasso));
  }

  end() {
    const { lasso } = this;
    if (!lasso) return;
    this.drop();
    const [[x, y]] = lasso;
    const far = lasso.some(([a, b]) => Math.hypot(a - x, b - y) > 4);
    this.select(far ? lassoPath(lasso) : disc(x, y));
  }

  drop() {
    this.lasso = null;
    fitted(this.drawing);
  }

  // Whoever comes by keys sees what they move.
  showFrame() {
    if (!this.data || !this.plane.matches(":focus-visible")) return;
    this.outline(this.framed());
    if (!this.selected) this.said.textContent = "Draw around photos, or move the frame by arrow keys and press Enter";
  }

  hideFrame() {
    this.drop();
    if (this.data) this.tell();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    const [left, top, right, bottom] = this.frame;
    if (event.key === "Enter") this.select(this.framed());
    else if (event.key === "Escape") this.choose(null);
    else if (!dx && !dy) return;
    else if (event.shiftKey) this.frame = [left, top, Math.min(1, Math.max(left + STEP, right + dx * STEP)), Math.min(1, Math.max(top + STEP, bottom + dy * STEP))];
    else {
      const [ex, ey] = [Math.min(1 - right, Math.max(-left, dx * STEP)), Math.min(1 - bottom, Math.max(-top, dy * STEP))];
      this.frame = [left + ex, top + ey, right + ex, bottom + ey];
    }
    event.preventDefault();
    if (event.key === "Escape") this.drop();
    else this.outline(this.framed());
  }

  framed() {
    const [left, top, right, bottom] = this.frame;
    const path = new Path2D();
    path.rect(left * this.width, top * this.height, (right - left) * this.width, (bottom - top) * this.height);
    return path;
  }

  outline(path) {
    const ink = fitted(this.drawing);
    ink.strokeStyle = getComputedStyle(this.whole).color;
    ink.lineWidth = 1.5;
    ink.setLineDash([5, 4]);
    ink.stroke(path);
  }

  select(path) {
    const ink = this.drawing.getContext("2d");
    ink.setTransform(1, 0, 0, 1, 0, 0);
    const inside = [...this.scores.keys()].filter((at) => ink.isPointInPath(path, this.x[at], this.y[at]));
    this.choose(inside.length ? inside : null);
  }

  choose(points) {
    this.selected = points;
    this.draw();
    this.tell();
  }

  tell() {
    const { open, closer, whole } = this.buttons;
    const n = this.selected?.length ?? 0;
    const most = this.data.most;
    this.said.textContent = n ? `${n.toLocaleString("en")} selected` : "Draw around photos";
    open.textContent = n > most ? `Open the best ${most}` : n === 1 ? "Open it" : `Open ${n}`;
    open.hidden = !n;
    closer.hidden = n < 2;
    whole.hidden = this.view[0] === 0 && this.view[2] === 1;
  }
}

function lassoPath(points) {
  const path = new Path2D();
  for (const [x, y] of points) path.lineTo(x, y);
  path.closePath();
  return path;
}

function disc(x, y) {
  const path = new Path2D();
  path.arc(x, y, NEAR, 0, 2 * Math.PI);
  return path;
}

// A canvas as large as it is on screen, and empty.
function fitted(canvas) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(canvas.clientHeight * scale);
  const ink = canvas.getContext("2d");
  ink.setTransform(scale, 0, 0, scale, 0, 0);
  return ink;
}

function shades(ramp) {
  return Array.from({ length: SHADES }, (_, shade) => {
    const at = (shade / (SHADES - 1)) * (ramp.length - 1);
    const first = Math.min(Math.floor(at), ramp.length - 2);
    const mixed = ramp[first].map((value, part) => Math.round(value + (ramp[first + 1][part] - value) * (at - first)));
    return `rgb(${mixed.join(",")})`;
  });
}

function lightness(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g)?.map(Number) ?? [255, 255, 255];
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

function bytes(base64) {
  const text = atob(base64);
  const read = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) read[at] = text.charCodeAt(at);
  return read;
}
