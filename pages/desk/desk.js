// The desk: photos to be marked. It draws the state that its board sends, paints at once what a
// person does, and sends that to the board, in order, until the board says that it is stored.
//
// state: can, at, live, collection, filters, rounds, round, key, why, liked, likedThumbnail, photos, stacks, marks, by,
// also, ups, downs, unsure, shares, turns, verdict, undo, redo, unstored, trouble, note.

const UP = 1, DOWN = 0, NONE = -1, UNSURE = 2;
const WORDS = { [UP]: "yes", [DOWN]: "no", [UNSURE]: "unsure", [NONE]: "no mark" };
const SIGNS = { [UP]: "✓", [DOWN]: "✕", [UNSURE]: "?" };
const KEPT = new Set(["mark", "rest", "undo", "redo"]); // acts that a reload must not lose
const GAP = 8, LEAST = 96, MOST = 420; // pixels: between photos, and of a photo's side
const RETRY = 2000; // milliseconds until what did not get through is sent again
const LATE = 2000; // milliseconds without an answer, after which a person is told
const NEWS = 1000; // milliseconds between two questions for what others have done

const desks = new Map(); // by root, since the page calls again with each run
let active = null; // the desk that was used last: the keys are its

export default function ({ parentElement, data, setTriggerValue }) {
  const desk = desks.get(parentElement) ?? new Desk(parentElement, data);
  desks.set(parentElement, desk);
  desk.trigger = setTriggerValue;
  desk.take(data);
  return () => desk.leave();
}

// ---- acts on their way

// What was done and is not known to be stored, in this browser's storage, so that a reload loses
// nothing. Every act is an entry of its own: two tabs never overwrite each other's.
class Outbox {
  constructor(url) {
    this.prefix = `explorer ${url} `;
    this.acts = this.left();
  }

  left() {
    const keys = attempt(() => Object.keys(localStorage)) ?? [];
    const mine = keys.filter((key) => key.startsWith(this.prefix)).sort();
    return mine.map((key) => attempt(() => JSON.parse(localStorage.getItem(key)))).filter(Boolean);
  }

  add(act) {
    this.acts.push(act);
    if (KEPT.has(act.do)) attempt(() => localStorage.setItem(this.prefix + act.click, JSON.stringify(act)));
  }

  drop(acts) {
    const gone = new Set(acts);
    this.acts = this.acts.filter((act) => !gone.has(act));
    for (const act of acts) attempt(() => localStorage.removeItem(this.prefix + act.click));
  }
}

// A browser may forbid storage, or have none left; the acts are then kept in memory alone.
function attempt(what) {
  try {
    return what();
  } catch {
    return undefined;
  }
}

let clicks = 0;

function newClick() {
  clicks += 1;
  const time = Date.now().toString(36).padStart(9, "0");
  return `${time}-${String(clicks).padStart(5, "0")}-${Math.random().toString(36).slice(2, 10)}`;
}

// ---- the desk

class Desk {
  constructor(root, data) {
    this.root = root;
    this.tiles = new Map(); // by photo id
    this.opened = new Set(); // stacks, by the id of their first photo
    this.current = 0; // the place that the arrows move
    this.anchor = null;
    this.outbox = new Outbox(data.url);
    this.done = []; // acts that the board did and the database has not taken
    this.later = []; // what waits until all is sent
    this.listen();
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  // The page has run: its state is taken if it is news.
  take(data) {
    const again = this.data && this.data.token !== data.token;
    this.data = { ...data };
    if (again) this.meet(data.token);
    const news = !this.state || again || data.state.at > this.state.at;
    const elsewhere = this.state && this.state.round !== this.state.rounds;
    if (news && !elsewhere) this.adopt(data.state);
    else this.paint();
    if (this.outbox.acts.length || (news && elsewhere)) this.send();
    active ??= this;
  }

  leave() {
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("resize", this.onResize);
    this.watch.disconnect();
    clearTimeout(this.retry);
    clearInterval(this.listening);
    desks.delete(this.root);
    if (active === this) active = desks.values().next().value ?? null;
  }

  // ---- talking to the board

  do(act) {
    const click = newClick();
    this.outbox.add({ click, round: this.state.round, ...act });
    this.paint();
    this.send();
    return click;
  }

  // One request at a time, with all that waits; what comes in meanwhile goes with the next one.
  async send(show = this.shown()) {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.retry);
    const acts = [...this.outbox.acts];
    const waits = this.done.length ? [{ do: "store" }] : [];
    const asked = new AbortController();
    const late = setTimeout(() => this.wait(asked), LATE);
    try {
      const response = await this.post(this.data.url, { acts: [...acts, ...waits], show }, asked.signal);
      const answer = await response.json();
      if (response.ok) this.answered(acts, answer);
      else if (response.status === 403 && (await this.renew())) this.resend = true;
      else this.failed(acts, answer.error, response.status);
    } catch {
      this.failed(acts, asked.signal.aborted ? "Given up" : "The app does not answer", 0);
    }
    clearTimeout(late);
    this.sending = false;
    if (this.asked) this.wait(null);
    this.next();
  }

  post(url, body, signal) {
    const headers = { "content-type": "application/json", [this.data.header]: this.data.token };
    return fetch(url, { method: "POST", signal, headers, body: JSON.stringify(body) });
  }

  // What others have done, in other tabs or elsewhere. What is missed is asked for a second later.
  async hearNews() {
    const busy = this.sending || this.outbox.acts.length || this.trouble || this.asking;
    if (!this.state?.live || document.hidden || busy) return;
    this.asking = true;
    try {
      const asked = { show: this.shown(), at: this.state.at };
      const response = await this.post(`${this.data.url}/news`, asked, AbortSignal.timeout(RETRY));
      if (response.status === 200) this.heard((await response.json()).state);
      else if (response.status === 403) await this.renew();
      else if (response.status === 410) this.gone((await response.json()).error);
    } catch {
      // The app, or its database, is away: a person who does something is told.
    }
    this.asking = false;
  }

  // What was asked for meanwhile is answered with later news.
  heard(state) {
    const sameRound = this.data.mark !== null || state.round === this.state.round;
    if (!this.sending && state.at > this.state.at && sameRound) this.adopt(state);
  }

  gone(why) {
    this.state = { ...this.state, live: false, can: [] };
    this.paint();
    this.say(why);
  }

  // Nobody is to look at a desk that says nothing: an order can then be given up.
  wait(asked) {
    this.asked = asked;
    this.paint();
  }

  next() {
    const resend = this.resend;
    this.resend = false;
    if (resend) this.send();
    else if (this.trouble || this.done.length) this.retry = setTimeout(() => this.send(), RETRY);
    else if (this.outbox.acts.length) this.send();
    else if (this.later.length) this.later.shift()();
  }

  // The app was started again: its new process has another token, and knows no unstored act.
  async renew() {
    const response = await fetch(this.data.tokenUrl);
    const { token } = await response.json();
    const news = response.ok && token !== this.data.token;
    if (news) this.meet(token);
    return news;
  }

  meet(token) {
    this.data.token = token;
    this.outdated = true; // the photos' addresses hold the token
    this.outbox.acts.unshift(...this.done.splice(0));
  }

  answered(acts, { state, said, changed, refused, asked }) {
    this.outdated &&= !state.photos;
    this.trouble = state.unstored ? state.trouble : "";
    this.outbox.acts = this.outbox.acts.filter((act) => !acts.includes(act));
    this.done.push(...acts.filter((act) => KEPT.has(act.do)));
    if (!state.unstored) this.outbox.drop(this.done.splice(0));
    this.adopt(state);
    this.saved(acts, refused[this.saving] ?? "", asked[this.saving]);
    this.say(refused[this.saving] ? "" : (Object.values(refused)[0] ?? said.join(" ")));
    if (changed.length) this.point(changed);
    if (this.data.followed && acts.length) this.tellIfAllMarked();
  }

  // The page below tells what all marks say.
  tellIfAllMarked() {
    const marks = this.marks();
    const all = this.state.photos.every(({ id }) => (marks[id] ?? NONE) !== NONE);
    if (all) this.trigger("marked", true);
  }

  // Show which photos an undo changed.
  point(ids) {
    const units = this.units();
    const places = [...units.keys()].filter((place) => units[place].some(({ id }) => ids.includes(id)));
    this.focus(places[0] ?? this.current);
    for (const place of places) {
      const { classList } = this.tiles.get(units[place][0].id);
      classList.add("changed");
      setTimeout(() => classList.remove("changed"), 2500);
    }
  }

  failed(acts, error, status) {
    const orders = acts.filter((act) => !KEPT.has(act.do)); // nobody wants a refinement minutes later
    const gone = status === 410 || status === 400;
    this.resend = false;
    if (status === 410) this.state = { ...this.state, live: false, can: [] };
    this.outbox.drop(gone ? acts : orders);
    this.trouble = gone ? "" : error;
    this.paint();
    this.saved(acts, error);
    if (gone || orders.length) this.say(error);
  }

  // Called when everything before is known to the board: an undo has to name what it takes back.
  afterAll(what) {
    if (this.outbox.acts.length || this.sending) this.later.push(what);
    else what();
  }

  shown() {
    const { round, key } = this.state;
    if (this.data.mark !== null) return { mark: this.data.mark };
    return this.outdated ? { round } : { round, have: key };
  }

  turn(by) {
    this.afterAll(() => {
      const round = this.state.round + by;
      if (round >= 1 && round <= this.state.rounds) this.send({ round });
      else this.next();
    });
  }

  refine() {
    if (this.ordered()) return this.asked?.abort();
    if (this.can("refine")) this.do({ do: "refine", after: this.state.rounds });
  }

  like(photo) {
    if (this.can("like") && !this.ordered()) this.do({ do: "like", after: this.state.rounds, photos: [photo] });
  }

  // Whether the thumbs come along is asked, where a search without them can be started.
  askLike(id) {
    if (!this.can("like")) return;
    if (this.data.mark !== null) return this.trigger("like", id);
    if (!this.data.alone) return this.like(id);
    const photo = this.state.photos.find((each) => each.id === id);
    this.liking = id;
    this.find(".liking img").src = photo.thumbnail;
    this.find(".liking .liked").textContent = photo.name;
    const given = this.given(UP) + this.given(DOWN);
    this.find('[data-act="like-along"]').textContent = given ? `With the ${count(given, "thumb")}` : "With the prompt";
    if (this.find(".lightbox").open) this.find(".lightbox").close();
    this.find(".liking").showModal();
  }

  likeAnswered(along) {
    this.find(".liking").close();
    if (along) this.like(this.liking);
    else this.afterAll(() => this.trigger("like", this.liking));
  }

  // What keeps thumbs from being stored, or "".
  hindrance() {
    return this.trouble || (this.asked ? "The database has not answered yet" : "");
  }

  ordered() {
    return this.outbox.acts.some((act) => !KEPT.has(act.do));
  }

  rest() {
    if (this.can("rest")) this.do({ do: "rest" });
  }

  takeBack(what) {
    if (!this.can("undo")) return;
    this.afterAll(() => {
      if (this.state[what]) this.do({ do: what, of: this.state[what].click });
      else this.next();
    });
  }

  save(name, fact = "") {
    this.saving = this.do({ do: "save", value: name, fact });
  }

  // A name that can't be used is not lost: it stays there to be corrected.
  saved(acts, problem, taken = null) {
    if (!acts.some((act) => act.click === this.saving)) return;
    this.offerNames(taken);
    this.find(".problem").textContent = taken?.problem ?? problem;
    if (!problem && !taken) this.find(".saving").close();
  }

  offerNames(taken) {
    this.taken = taken;
    this.find(".choice").hidden = !taken;
    this.find('[data-act="save-free"]').textContent = taken ? `Save as “${taken.free}”` : "";
    this.find('[data-act="save-version"]').textContent = taken?.version ?? "";
    this.find('[data-act="save-version"]').hidden = !taken?.version;
  }

  can(what) {
    return this.state.can.includes(what);
  }

  // ---- marks

  // What stands on the photos once the board has heard everything.
  marks() {
    const marks = { ...this.state.marks };
    for (const act of this.outbox.acts) {
      if (act.do === "mark") for (const photo of act.photos) marks[photo] = act.label;
      if (act.do === "rest" && act.round === this.state.round)
        for (const photo of this.state.photos) if ((marks[photo.id] ?? NONE) === NONE) marks[photo.id] = DOWN;
    }
    return marks;
  }

  // Whose mark stands on a photo, where it is another person's, once the board has heard everything.
  authors() {
    const mine = this.outbox.acts.filter((act) => act.do === "mark").flatMap((act) => act.photos);
    return Object.fromEntries(Object.entries(this.state.by).filter(([photo]) => !mine.includes(photo)));
  }

  // The session's thumbs of one kind once the board has heard everything.
  given(label, marks = this.marks()) {
    const { ups, downs, marks: heard } = this.state;
    const among = (some) => Object.values(some).filter((mark) => mark === label).length;
    return (label === UP ? ups : downs) + among(marks) - among(heard);
  }

  mark(photos, label) {
    if (!this.can("mark")) return;
    const marks = this.marks();
    const authors = this.authors();
    const seen = Object.fromEntries(photos.map((photo) => [photo, marks[photo] ?? NONE]));
    if (photos.some((photo) => seen[photo] !== label || authors[photo])) this.do({ do: "mark", photos, label, seen });
    const names = this.state.photos.filter((photo) => photos.includes(photo.id)).map((photo) => photo.name);
    this.tell(`${WORDS[label]}: ${names.join(", ")}`);
  }

  // A click on one's own mark takes it away; on another person's it says the same, or otherwise.
  toggle(unit, label) {
    const stands = this.marks()[unit[0].id] === label && !this.authors()[unit[0].id];
    this.mark(unit.map((photo) => photo.id), stands ? NONE : label);
  }

  range(place, label) {
    const [from, to] = [Math.min(this.anchor, place), Math.max(this.anchor, place)];
    const photos = this.units().slice(from, to + 1).flat();
    const first = this.marks()[this.units()[this.anchor]?.[0].id] ?? NONE;
    this.mark(photos.map((photo) => photo.id), label ?? (first === NONE ? UP : first));
  }

  decide(label) {
    const unit = this.units()[this.current];
    if (!unit) return;
    this.anchor = this.current;
    this.mark(unit.map((photo) => photo.id), label);
    this.move(1);
  }

  // What is marked together: a stack of near-duplicates, or one photo.
  units() {
    const { photos, stacks } = this.state;
    const marks = this.marks();
    const whole = (stack) => {
      const given = new Set(stack.map((place) => marks[photos[place].id] ?? NONE));
      return this.data.stacked && given.size === 1 && !this.opened.has(photos[stack[0]].id);
    };
    return stacks.flatMap((stack) => {
      const found = stack.map((place) => photos[place]);
      return whole(stack) ? [found] : found.map((photo) => [photo]);
    });
  }

  turnStack(id) {
    if (!this.opened.delete(id)) this.opened.add(id);
    this.paint();
    this.focus(this.current);
  }

  // ---- drawing

  adopt(state) {
    const ids = (of) => of?.photos.map((photo) => photo.id).join();
    const fresh = !this.state || (state.photos && this.data.mark === null && ids(this.state) !== ids(state));
    const first = !this.state;
    this.state = first || (state.photos && this.data.mark === null) ? state : this.kept(state);
    if (fresh) this.drawPhotos();
    this.paint();
    if (!fresh) return;
    this.fit();
    if (this.data.mark === null) this.focus(0, first); // a page that opens stays at its top
    if (!first) this.find(".desk").scrollIntoView({ block: "nearest" });
    if (state.rounds) this.tell(`Round ${state.round}, ${count(state.photos.length, "photo")}`);
  }

  // The photos are those that are here already. Of those that were listed for their mark all stay,
  // whatever they are marked now, until the page runs.
  kept(state) {
    return { ...state, photos: this.state.photos, stacks: this.state.stacks };
  }

  drawPhotos() {
    this.tiles = new Map(this.state.photos.map((photo) => [photo.id, this.tile(photo)]));
    this.current = 0;
    this.anchor = null;
    if (this.find(".lightbox").open) this.find(".lightbox").close();
  }

  tile(photo) {
    const tile = element("li", { className: "tile" });
    const picture = element("img", { alt: "", decoding: "async", referrerPolicy: "no-referrer" });
    picture.loading = this.state.photos.length > 40 ? "lazy" : "eager";
    picture.addEventListener("error", () => tile.classList.add("broken"));
    picture.src = photo.thumbnail;
    const missing = element("span", { className: "missing", textContent: `${photo.name} can't be shown` });
    const tools = element("div", { className: "tools" });
    const add = (label, words, what) => {
      const button = element("button", { type: "button", textContent: label, title: words, tabIndex: -1 });
      button.setAttribute("aria-label", `${words}: ${photo.name}`);
      button.addEventListener("click", what);
      tools.append(button);
      return button;
    };
    for (const label of this.can("mark") ? [UP, DOWN, UNSURE] : [])
      add(SIGNS[label], WORDS[label], () => this.toggle(this.unitOf(photo), label)).dataset.mark = label;
    add("⤢", "see in full", () => this.open(photo.id));
    if (this.can("like")) add("≈", "more like this", () => this.askLike(photo.id));
    const foot = element("div", { className: "foot" });
    if (photo.photographer) foot.append(this.credit(photo));
    foot.append(element("p", { className: "credit also", hidden: true }), tools);
    const button = element("button", { type: "button", className: "photo" });
    button.append(picture, missing);
    const stack = element("button", { type: "button", className: "stack", hidden: true });
    stack.addEventListener("click", () => this.turnStack(photo.id));
    const badge = element("span", { className: "badge", ariaHidden: "true" });
    tile.append(button, badge, element("span", { className: "by", hidden: true, ariaHidden: "true" }), stack, foot);
    this.hear(button, photo);
    return tile;
  }

  hear(button, photo) {
    const clicked = (event, label) => {
      event.preventDefault();
      const place = this.placeOf(photo);
      this.focus(place);
      if (!this.can("mark")) return this.open(photo.id);
      if (event.shiftKey && this.anchor !== null) this.range(place, event.altKey ? DOWN : null);
      else this.toggle(this.units()[place], label);
      this.anchor = place;
    };
    button.addEventListener("click", (event) => clicked(event, event.altKey ? DOWN : UP));
    button.addEventListener("contextmenu", (event) => clicked(event, DOWN));
    // Space opens the photo; a browser takes it for a click when it comes up.
    button.addEventListener("keyup", (event) => event.key === " " && event.preventDefault());
  }

  placeOf(photo) {
    return this.units().findIndex((unit) => unit.some(({ id }) => id === photo.id));
  }

  unitOf(photo) {
    return this.units()[this.placeOf(photo)];
  }

  credit(photo) {
    const line = element("p", { className: "credit" });
    line.append("Photo by ", link(photo.photographerPage, photo.photographer));
    if (photo.host) line.append(" on ", link(photo.hostPage, photo.host));
    return line;
  }

  paint() {
    const units = this.units();
    const marks = this.marks();
    const waiting = new Set([...this.outbox.acts, ...this.done].flatMap((act) => act.photos ?? []));
    const grid = this.find(".grid");
    const tiles = units.map((unit) => this.tiles.get(unit[0].id));
    if (tiles.length !== grid.children.length || tiles.some((tile, place) => tile !== grid.children[place]))
      grid.replaceChildren(...tiles);
    this.current = Math.min(this.current, Math.max(0, units.length - 1));
    const authors = this.authors();
    for (const [place, unit] of units.entries()) this.paintTile(tiles[place], unit, place, marks, authors, waiting);
    this.paintBars(marks);
    const shape = [units.length, this.find(".trouble").hidden, this.find("footer").hidden].join();
    if (shape !== this.shape) this.fit();
    this.shape = shape;
  }

  // Only where something has changed: what is written costs the browser time, changed or not.
  paintTile(tile, unit, place, marks, authors, waiting) {
    const [photo] = unit;
    const mark = marks[photo.id] ?? NONE;
    const author = authors[photo.id] ?? "";
    const also = this.state.also[photo.id] ?? "";
    const at = place === this.current ? 0 : -1;
    const look = [mark, author, also, at, unit.length, this.opened.has(photo.id), Boolean(this.hindrance()) && waiting.has(photo.id)].join();
    if (tile.look === look) return;
    tile.look = look;
    if (mark === NONE) delete tile.dataset.mark;
    else tile.dataset.mark = mark;
    tile.classList.toggle("many", unit.length > 1);
    tile.classList.toggle("waiting", Boolean(this.hindrance()) && waiting.has(photo.id));
    tile.querySelector(".badge").textContent = SIGNS[mark] ?? "";
    const button = tile.querySelector(".photo");
    const others = unit.length > 1 ? ` and ${count(unit.length - 1, "near-duplicate")}` : "";
    const whose = `${author && `, by ${author}`}${also && `; ${also}`}`;
    button.setAttribute("aria-label", `${photo.name}${others}: ${WORDS[mark]}${whose}`);
    button.title = whose && `${WORDS[mark]}${whose}`;
    tile.querySelector(".also").hidden = !also;
    tile.querySelector(".also").textContent = also;
    tile.querySelector(".by").hidden = !whose;
    tile.querySelector(".by").textContent = `${[...author.toUpperCase()][0] ?? ""}${also && "≠"}`;
    button.tabIndex = at;
    for (const tool of tile.querySelectorAll(".tools button")) {
      tool.tabIndex = at;
      if (tool.dataset.mark) tool.setAttribute("aria-pressed", Number(tool.dataset.mark) === mark);
    }
    this.paintStack(tile.querySelector(".stack"), unit, at);
  }

  paintStack(button, unit, at) {
    const [photo] = unit;
    const open = this.opened.has(photo.id);
    button.hidden = unit.length === 1 && !open;
    button.tabIndex = at;
    button.textContent = open ? "−" : `+${unit.length - 1}`;
    button.setAttribute("aria-expanded", open);
    button.setAttribute("aria-label", `Near-duplicates of ${photo.name}`);
  }

  paintBars(marks) {
    const { state } = this;
    const given = Object.values(marks);
    const here = (label) => given.filter((mark) => mark === label).length;
    const counted = [`${here(UP)} up, ${here(DOWN)} down`, here(UNSURE) ? `, ${here(UNSURE)} unsure` : ""].join("");
    const all = state.rounds ? ` · in all ${this.given(UP, marks)} up, ${this.given(DOWN, marks)} down` : "";
    this.find(".collection").textContent = state.collection;
    this.find(".filters").replaceChildren(...state.filters.map((filter) => this.chip(filter)));
    const session = state.rounds > 0 && this.data.mark === null;
    this.find(".rounds").hidden = !session;
    const why = state.why ? `, ${state.why}` : "";
    this.find(".round").replaceChildren(`Round ${state.round} of ${state.rounds}${why}`, ...this.likedChip());
    this.find('[data-act="earlier"]').disabled = state.round <= 1;
    this.find('[data-act="later"]').disabled = state.round >= state.rounds;
    this.find(".counts").replaceChildren(counted, element("span", { className: "all", textContent: all }));
    this.find(".verdict").textContent = state.verdict?.short ?? "";
    if (this.find(".note").textContent !== (state.note ?? "")) this.find(".note").textContent = state.note ?? "";
    this.paintActions(here(UP) + here(DOWN) + here(UNSURE) < state.photos.length);
    const unstored = this.outbox.acts.filter((act) => KEPT.has(act.do)).length + this.done.length;
    const hindrance = this.hindrance();
    this.find(".trouble").hidden = !hindrance;
    this.find(".trouble").textContent = hindrance &&
      `${unstored ? `${count(unstored, "thumb")} not stored yet. ` : ""}${hindrance}. Go on if you like: what you click is kept in this browser, and stored as soon as that works`;
    if (this.find(".lightbox").open) this.paintLightbox(marks);
  }

  paintActions(unmarked) {
    const session = this.data.mark === null;
    const ordered = this.ordered();
    const button = (name) => this.find(`footer [data-act="${name}"]`);
    this.find("footer").hidden = !["undo", "rest", "refine"].some((what) => this.can(what));
    button("undo").hidden = button("redo").hidden = !this.can("undo");
    button("refine").hidden = !session || !this.can("refine");
    button("rest").hidden = !session || !this.can("rest");
    button("refine").disabled = ordered && !this.asked;
    button("refine").textContent = !ordered ? "Refine" : this.asked ? "Give up" : "Refining …";
    button("save").hidden = !session || !this.can("save");
    button("rest").disabled = !unmarked;
    button("undo").disabled = !this.state.undo && !this.outbox.acts.length;
    button("redo").disabled = !this.state.redo;
  }

  likedChip() {
    const { liked, likedThumbnail } = this.state;
    if (!liked) return [];
    const chip = element("span", { className: "chip" });
    if (likedThumbnail) chip.append(element("img", { src: likedThumbnail, alt: "", referrerPolicy: "no-referrer" }));
    chip.append(element("span", { textContent: `like “${liked}”`, title: liked }));
    return [", ", chip];
  }

  chip({ fact, value }) {
    const button = element("button", { type: "button", textContent: `${value} ✕` });
    button.setAttribute("aria-label", `Take the condition ${value} away`);
    button.addEventListener("click", () => this.do({ do: "without", fact, value }));
    return button;
  }

  say(text) {
    this.find(".news").textContent = text;
  }

  tell(text) {
    this.find(".live").textContent = text;
  }

  // The largest squares with which all photos are in the window, unless they were too small then.
  fit() {
    const grid = this.find(".grid");
    const n = this.units().length;
    const width = grid.clientWidth - 6;
    const others = [...this.find(".desk").children].filter((child) => child !== grid && child.offsetParent);
    const used = others.reduce((sum, child) => sum + (child.matches("dialog, .live") ? 0 : child.offsetHeight + GAP), 0);
    const height = window.innerHeight - this.top() - used - 2 * GAP;
    const { columns, side } = squares(n, width, height);
    grid.style.setProperty("--columns", columns);
    grid.style.setProperty("--side", `${Math.floor(side)}px`);
    this.columns = columns;
  }

  // From the window's top to the desk's while nothing is scrolled.
  top() {
    const { host } = this.root;
    let scroller = host.parentElement;
    while (scroller && !/auto|scroll/.test(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement;
    return host.getBoundingClientRect().top + (scroller?.scrollTop ?? window.scrollY);
  }

  // ---- the photo in full

  open(id) {
    this.looking = this.state.photos.findIndex((photo) => photo.id === id);
    const box = this.find(".lightbox");
    if (!box.open) box.showModal();
    box.focus();
    this.look(0);
  }

  look(by) {
    const { photos } = this.state;
    this.looking = Math.min(Math.max(0, this.looking + by), photos.length - 1);
    const photo = photos[this.looking];
    const old = this.find(".frame img");
    const picture = element("img", { alt: photo.name, referrerPolicy: "no-referrer" });
    const loading = this.find(".loading");
    loading.hidden = false;
    loading.textContent = "Loading …";
    picture.addEventListener("load", () => {
      loading.hidden = true;
    });
    picture.addEventListener("error", () => {
      picture.hidden = true;
      loading.textContent = `${photo.name} can't be shown: its file or page may be gone`;
    });
    picture.src = photo.original;
    old.replaceWith(picture);
    this.find("figcaption").replaceChildren(...this.caption(photo));
    this.paintLightbox(this.marks());
    const next = photos[this.looking + 1];
    if (next) new Image().src = next.original;
  }

  paintLightbox(marks) {
    const photo = this.state.photos[this.looking];
    const mark = marks[photo.id] ?? NONE;
    const box = this.find(".lightbox");
    if (mark === NONE) delete box.dataset.mark;
    else box.dataset.mark = mark;
    const author = this.authors()[photo.id];
    for (const button of box.querySelectorAll("[data-mark]")) {
      const pressed = Number(button.dataset.mark) === mark;
      button.hidden = !this.can("mark");
      button.setAttribute("aria-pressed", pressed);
      button.title = pressed && author ? `by ${author}` : "";
    }
    box.querySelector('[data-act="like"]').hidden = !this.can("like");
    box.querySelector('[data-act="previous"]').disabled = this.looking === 0;
    box.querySelector('[data-act="next"]').disabled = this.looking === this.state.photos.length - 1;
  }

  caption(photo) {
    const title = element("p");
    title.append(`${this.looking + 1} of ${this.state.photos.length} · `, link(photo.page, photo.name));
    const rest = [photo.size, photo.country, photo.keywords.join(", "), photo.score === null ? "" : `score ${photo.score.toFixed(3)}`];
    const facts = element("p", { textContent: rest.filter(Boolean).join(" · ") });
    return photo.photographer ? [title, this.credit(photo), facts] : [title, facts];
  }

  lookedAt(label) {
    this.mark([this.state.photos[this.looking].id], label);
    if (this.looking < this.state.photos.length - 1) this.look(1);
  }

  // ---- help

  help() {
    const { state } = this;
    const lines = [
      state.verdict?.long,
      state.round > 1 && `This round's classifier is turned by ${state.turns[state.round - 2].toFixed(1)}° from the one before.`,
      state.rounds > 1 && `Share of ups, round by round: ${state.shares.map((share) => (share === null ? "–" : `${Math.round(100 * share)} %`)).join(", ")}.`,
    ];
    this.find(".figures").replaceChildren(...lines.filter(Boolean).map((textContent) => element("p", { textContent })));
    this.find(".help").showModal();
  }

  askName() {
    this.find(".saving input").value = this.state.title;
    this.find(".problem").textContent = "";
    this.offerNames(null);
    this.find(".saving").showModal();
    this.find(".saving input").select();
  }

  // ---- mouse and keys

  listen() {
    this.onKey = (event) => this.key(event);
    this.onResize = () => this.state && this.fit();
    window.addEventListener("keydown", this.onKey, true); // before the page's own shortcuts
    window.addEventListener("resize", this.onResize);
    this.listening = setInterval(() => this.hearNews(), NEWS);
    this.watch = new ResizeObserver(this.onResize);
    this.watch.observe(this.root.host);
    for (const used of ["focusin", "pointerdown"])
      this.root.addEventListener(used, () => {
        active = this;
      });
    for (const button of this.root.querySelectorAll("[data-act]"))
      button.addEventListener("click", () => this.command(button.dataset.act, button.closest("dialog")));
    for (const button of this.find(".lightbox").querySelectorAll("[data-mark]"))
      button.addEventListener("click", () => this.toggle([this.state.photos[this.looking]], Number(button.dataset.mark)));
    this.find(".saving form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(this.find(".saving input").value);
    });
    this.find(".saving input").addEventListener("input", () => this.offerNames(null));
    this.find(".lightbox").addEventListener("close", () => this.focusPhoto(this.looking));
  }

  command(name, dialog) {
    const commands = {
      refine: () => this.refine(),
      rest: () => this.rest(),
      undo: () => this.takeBack("undo"),
      redo: () => this.takeBack("redo"),
      help: () => this.help(),
      save: () => this.askName(),
      "save-free": () => this.save(this.taken.free),
      "save-version": () => this.save(this.find(".saving input").value, "version"),
      earlier: () => this.turn(-1),
      later: () => this.turn(1),
      previous: () => this.look(-1),
      next: () => this.look(1),
      close: () => dialog.close(),
      like: () => this.askLike(this.state.photos[this.looking].id),
      "like-along": () => this.likeAnswered(true),
      "like-alone": () => this.likeAnswered(false),
    };
    commands[name]();
  }

  key(event) {
    const path = event.composedPath();
    const inside = path.includes(this.root);
    // In a box that is folded up nobody sees what a key would mark.
    if (!this.root.host.checkVisibility()) return;
    if (active !== this || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    // Somebody who means to refine must not start a new search, and leave the session.
    if (isBox(path[0]) && !inside && event.key === "Enter" && event.shiftKey) return stop(event);
    if (isBox(path[0]) || (!inside && isElsewhere(path[0]))) return;
    const dialog = this.root.querySelector("dialog[open]");
    const keys = !dialog ? this.gridKeys() : dialog.matches(".lightbox") ? this.lightboxKeys() : {};
    const name = `${event.shiftKey ? "Shift+" : ""}${event.key.length === 1 ? event.key.toUpperCase() : event.key}`;
    const what = keys[name];
    const control = path[0].closest?.("button, a, [role], summary");
    const native = control && !control.matches(".photo, dialog") && /^(Enter| |Arrow.*|Backspace|Home|End)$/.test(event.key);
    if (!what || native) return;
    stop(event);
    if (!event.repeat || event.key.startsWith("Arrow")) what();
  }

  gridKeys() {
    const here = () => this.units()[this.current];
    return {
      ...this.everywhere((label) => this.decide(label)),
      " ": () => here() && this.open(here()[0].id),
      S: () => here() && (here().length > 1 || this.opened.has(here()[0].id)) && this.turnStack(here()[0].id),
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      ArrowUp: () => this.move(-this.columns),
      ArrowDown: () => this.move(this.columns),
      Home: () => this.focus(0),
      End: () => this.focus(this.units().length - 1),
    };
  }

  lightboxKeys() {
    return {
      ...this.everywhere((label) => this.lookedAt(label)),
      " ": () => this.find(".lightbox").close(),
      ArrowLeft: () => this.look(-1),
      ArrowRight: () => this.look(1),
    };
  }

  everywhere(decide) {
    const redo = () => this.takeBack("redo");
    const undo = () => this.takeBack("undo");
    return {
      A: () => decide(UP), "Shift+ArrowUp": () => decide(UP),
      X: () => decide(DOWN), "Shift+ArrowDown": () => decide(DOWN),
      U: () => decide(UNSURE), C: () => decide(NONE),
      "?": () => this.help(), "Shift+?": () => this.help(),
      Z: undo, Backspace: undo, "Shift+Z": redo,
      R: () => this.rest(), Enter: () => this.refine(), "Shift+Enter": () => this.refine(),
    };
  }

  move(by) {
    const to = this.current + by;
    if (to >= 0 && to < this.units().length) this.focus(to);
  }

  focus(place, still = false) {
    const unit = this.units()[place];
    if (!unit) return;
    this.current = place;
    this.paint();
    this.tiles.get(unit[0].id).querySelector(".photo").focus({ preventScroll: still });
  }

  focusPhoto(place) {
    const photo = this.state.photos[place];
    if (photo) this.focus(this.placeOf(photo));
  }
}

// ---- small things

// Whether letters are typed into what has the focus.
function isBox(target) {
  const boxes = "input, textarea, select, [contenteditable=''], [contenteditable=true], [role=textbox], [role=combobox], [role=slider], [role=spinbutton]";
  return Boolean(target.closest?.(boxes));
}

// Whether something of the page's lies above the desk: the keys are for that.
function isElsewhere(target) {
  const above = "dialog, [role=dialog], [role=menu], [role=listbox], [data-testid=stPopoverBody]";
  return Boolean(target.closest?.(above) ?? document.querySelector("[data-testid=stPopoverBody]"));
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function squares(n, width, height) {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= Math.max(1, n); columns++) {
    const rows = Math.ceil(n / columns);
    const side = Math.min((width - GAP * (columns - 1)) / columns, (height - GAP * (rows - 1)) / rows, MOST);
    if (side > best.side) best = { columns, side };
  }
  if (best.side >= LEAST) return best;
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST + 40 + GAP)), Math.min(3, n));
  return { columns, side: (width - GAP * (columns - 1)) / columns };
}

function count(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function link(url, text) {
  if (!/^https?:\/\//.test(url)) return text;
  return element("a", { href: url, textContent: text, target: "_blank", rel: "noopener noreferrer" });
}
