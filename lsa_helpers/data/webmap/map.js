// The interactive map of lsa_helpers/show/webmap.py, after layers.js. Everything it shows stands in
// the page, and what files say is only ever set as text.
function add(parent, tag, text = "", properties = {}) {
  const item = Object.assign(document.createElement(tag), properties);
  if (text) item.textContent = text;
  return parent.appendChild(item);
}

function lsaMap(root) {
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const canvas = part("map");
  const pen = canvas.getContext("2d");
  const planes = new Map();
  const pictures = new Map();
  const view = { x: 0, y: 0, scale: 0, whole: 0 }; // the cell in the upper left corner, pixels a cell
  const outlines = data.outlines.map((outline) => ({ ...outline, path: new Path2D(outline.path) }));
  const groups = new Map(data.layers.map(({ group }) => [group, data.layers.filter((layer) => layer.group === group)]));
  let shown = {};
  let mark = null;
  let turn = 0;

  const kept = (store, key, make) => (store.has(key) ? store : store.set(key, make())).get(key);
  const numbersOf = (number) => kept(planes, number, () => unpack(data.planes[number].numbers));
  const pictureOf = (layer) => layer && kept(pictures, layer, () => paintOf(layer));
  const paintOf = async (layer) => paint(layer, data.palettes[layer.palette], data.planes[layer.plane], await numbersOf(layer.plane));
  const chosen = (name) => data.layers[part(name).value];

  // ---- the picture
  function put(picture, from, to, opacity, smooth) {
    const width = canvas.clientWidth / view.scale;
    pen.save();
    pen.beginPath();
    pen.rect(view.x + from * width, view.y, (to - from) * width, canvas.clientHeight / view.scale);
    pen.clip();
    pen.globalAlpha = opacity;
    pen.imageSmoothingEnabled = smooth || view.scale * picture.edge * devicePixelRatio < 1;
    pen.drawImage(picture.canvas, 0, 0, picture.width, picture.height);
    pen.restore();
  }

  function stroke(path, colour, width, dash = []) {
    pen.setLineDash(dash.map((length) => length / view.scale));
    pen.lineWidth = (width * clamp(canvas.clientWidth / 700, 0.6, 1)) / view.scale;
    pen.strokeStyle = colour;
    pen.stroke(path);
    pen.setLineDash([]);
  }

  function draw() {
    if (!shown.relief || !view.scale) return;
    const ratio = devicePixelRatio;
    const scale = view.scale * ratio;
    const divider = shown.right ? part("divider").value / 100 : 1;
    const opacity = part("opacity").value / 100;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
    put(shown.relief, 0, 1, 1, true);
    if (shown.left) put(shown.left, 0, divider, opacity, false);
    if (shown.right) put(shown.right, divider, 1, opacity, false);
    outlines.forEach((outline, number) => {
      if (!part("outlines").querySelectorAll("input")[number].checked) return;
      stroke(outline.path, "#ffffff", outline.width + 1.6, outline.dash);
      stroke(outline.path, outline.colour, outline.width, outline.dash);
    });
    if (mark) {
      const ring = new Path2D();
      ring.arc((mark.column + 0.5) * data.step, (mark.row + 0.5) * data.step, Math.max(9 / view.scale, data.step), 0, 7);
      stroke(ring, "#ffffff", 5);
      stroke(ring, "#000000", 2);
    }
    if (shown.right) {
      const line = new Path2D();
      const x = view.x + (divider * canvas.clientWidth) / view.scale;
      line.moveTo(x, view.y);
      line.lineTo(x, view.y + canvas.clientHeight / view.scale);
      stroke(line, "#ffffff", 5);
      stroke(line, "#000000", 2);
    }
  }

  // ---- where the view is
  const whole = () => Math.min(canvas.clientWidth / data.width, canvas.clientHeight / data.height);
  const within = (start, seen, all) => (seen >= all ? (all - seen) / 2 : clamp(start, 0, all - seen));

  function moved() {
    view.scale = clamp(view.scale, whole(), 40 * whole());
    view.x = within(view.x, canvas.clientWidth / view.scale, data.width);
    view.y = within(view.y, canvas.clientHeight / view.scale, data.height);
    canvas.style.touchAction = view.scale > whole() ? "none" : "pan-y";
    const metres = (canvas.clientWidth / view.scale) * data.cell;
    const room = metres / 4;
    const unit = 10 ** Math.floor(Math.log10(room));
    const length = unit * [5, 2, 1].find((times) => times * unit <= room);
    part("bar").style.width = `${(length / metres) * canvas.clientWidth}px`;
    part("length").textContent = length < 1000 ? `${length} m` : `${length / 1000} km`;
    draw();
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const scale = clamp(view.scale * factor, whole(), 40 * whole());
    view.x += x / view.scale - x / scale;
    view.y += y / view.scale - y / scale;
    view.scale = scale;
    moved();
  }

  function resized() {
    const zoomed = view.scale > view.whole;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (!canvas.width) return;
    view.whole = whole();
    if (!zoomed) view.scale = 0;
    moved();
  }

  // ---- layers and their legends
  function legendOf(layer) {
    const list = add(part("legend"), "div");
    add(list, "p", `${layer.group}: ${layer.name}${layer.units ? ` (${layer.units})` : ""}`);
    const entries = add(list, "ul");
    for (const [colour, text] of layer.legend) {
      const entry = add(entries, "li");
      const swatch = add(add(entry, "span", "", { className: "lsa-map-swatch" }), "span");
      swatch.style.background = colour;
      swatch.style.opacity = part("opacity").value / 100;
      add(entry, "span", text);
    }
  }

  async function show() {
    const mine = ++turn;
    const layers = [chosen("layer"), chosen("other")];
    const [relief, left, right] = await Promise.all([data.relief, ...layers].map(pictureOf));
    if (mine !== turn) return; // another choice was made meanwhile
    shown = { relief, left, right };
    const names = layers.map((layer) => (layer ? `${layer.group}: ${layer.name}` : ""));
    part("left-name").textContent = names[0] || "Shaded relief";
    part("right-name").textContent = names[1];
    part("divider").hidden = !right;
    part("legend").replaceChildren();
    layers.filter(Boolean).forEach(legendOf);
    canvas.setAttribute("aria-label", `${names.filter(Boolean).join(" beside ") || "Shaded relief"}. Arrow keys move a mark and tell its values.`);
    draw();
  }

  // ---- what is known of a place
  async function reasons(model, place) {
    const texts = [];
    for (const { factor, value } of model.parts) {
      const [which, size] = [(await numbersOf(factor))[place], (await numbersOf(value))[place]];
      if (which === UNKNOWN) return ["unknown"];
      const amount = (Math.abs(size) / 10 ** model.decimals).toFixed(Math.max(0, model.decimals));
      const name = model.factors[which];
      const layer = data.layers.find((item) => item.group === data.factors && item.name === name);
      const own = layer ? ` (${inWords(layer, await numbersOf(layer.plane), place)})` : "";
      texts.push(`${name} ${size < 0 ? "−" : "+"}${amount}${own}`);
    }
    return texts;
  }

  async function list(parent, group, layers, place, heading = "h4") {
    add(parent, heading, group);
    const entries = add(parent, "dl");
    for (const layer of layers) {
      add(entries, "dt", layer.name);
      add(entries, "dd", inWords(layer, await numbersOf(layer.plane), place));
    }
  }

  async function about(column, row) {
    const place = row * data.columns + column;
    const middle = (cell) => (cell * data.step + Math.floor(data.step / 2) + 0.5) * data.cell;
    const told = document.createDocumentFragment();
    const unmoved = document.createElement("canvas").getContext("2d");
    const inside = outlines.filter(({ path, points }) => !points && unmoved.isPointInPath(path, middle(column) / data.cell, middle(row) / data.cell, "evenodd"));
    const where = `x ${+(data.left + middle(column)).toFixed(1)}, y ${+(data.top - middle(row)).toFixed(1)}`;
    add(told, "p", [where, ...inside.map(({ name }) => `inside: ${name}`)].join("; "));
    for (const [group, layers] of groups) {
      if (group !== data.factors && group !== data.leading) await list(told, group, layers, place);
    }
    if (data.contributions.length) {
      add(told, "h4", "The three largest contributions");
      const entries = add(told, "dl");
      for (const model of data.contributions) {
        add(entries, "dt", `${model.name} (${model.units})`);
        (await reasons(model, place)).forEach((text) => add(entries, "dd", text));
      }
    }
    if (groups.has(data.factors)) {
      const all = add(told, "details", "", { open: Boolean(part("told").querySelector("details[open]")) });
      await list(all, data.factors, groups.get(data.factors), place, "summary");
    }
    return told;
  }

  async function tell(column, row) {
    mark = { column: clamp(column, 0, data.columns - 1), row: clamp(row, 0, data.rows - 1) };
    const asked = mark;
    draw();
    const told = await about(asked.column, asked.row);
    if (asked === mark) part("told").replaceChildren(told);
  }

  // ---- pointers and keys
  const pointers = new Map();
  const at = (event) => [event.offsetX, event.offsetY];
  let travelled = 0;
  let dividing = false;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    if (pointers.size === 1) travelled = 0;
    const line = (part("divider").value / 100) * canvas.clientWidth;
    dividing = Boolean(shown.right) && Math.abs(event.offsetX - line) < 12;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const others = [...pointers.entries()].filter(([id]) => id !== event.pointerId);
    pointers.set(event.pointerId, now);
    travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (dividing) {
      part("divider").value = (100 * now[0]) / canvas.clientWidth;
      return draw();
    }
    if (others.length) {
      const [, [x, y]] = others[0];
      return zoom(Math.hypot(now[0] - x, now[1] - y) / (Math.hypot(before[0] - x, before[1] - y) || 1), (now[0] + x) / 2, (now[1] + y) / 2);
    }
    if (travelled < 5) return;
    view.x -= (now[0] - before[0]) / view.scale;
    view.y -= (now[1] - before[1]) / view.scale;
    moved();
  });
  canvas.addEventListener("pointerup", (event) => {
    const alone = pointers.size === 1;
    pointers.delete(event.pointerId);
    if (!alone || travelled >= 5) return;
    const [x, y] = [view.x + event.offsetX / view.scale, view.y + event.offsetY / view.scale];
    tell(Math.floor(x / data.step), Math.floor(y / data.step));
  });
  canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, ...at(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 1 : Math.max(1, Math.round(canvas.clientWidth / view.scale / data.step / 40));
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step], Enter: [0, 0] }[event.key];
    const act = { "+": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: () => zoom(0) }[event.key];
    if (!move && !act) return;
    event.preventDefault();
    if (act) return act();
    const seen = [canvas.clientWidth / view.scale, canvas.clientHeight / view.scale];
    const from = mark ?? { column: Math.floor((view.x + seen[0] / 2) / data.step), row: Math.floor((view.y + seen[1] / 2) / data.step) };
    tell(from.column + move[0], from.row + move[1]);
    const [x, y] = [(mark.column + 0.5) * data.step, (mark.row + 0.5) * data.step];
    view.x = clamp(view.x, x - seen[0] * 0.95, x - seen[0] * 0.05);
    view.y = clamp(view.y, y - seen[1] * 0.95, y - seen[1] * 0.05);
    moved();
  });

  // ---- the controls
  for (const [group, layers] of groups) {
    for (const select of [part("layer"), part("other")]) {
      const options = add(select, "optgroup", "", { label: group });
      layers.forEach((layer) => add(options, "option", layer.name, { value: data.layers.indexOf(layer) }));
    }
  }
  add(part("layer"), "option", "Shaded relief only", { value: "" });
  outlines.forEach(({ name, colour, dash }) => {
    const label = add(part("outlines"), "label");
    add(label, "input", "", { type: "checkbox", checked: true, onchange: draw });
    const swatch = add(label, "span", "", { className: "lsa-map-swatch" });
    const line = add(swatch, "span", "", { className: "lsa-map-stroke" });
    Object.assign(line.style, { borderTopColor: colour, borderTopStyle: dash.length ? "dashed" : "solid" });
    add(label, "span", name);
  });
  part("layer").onchange = part("other").onchange = part("opacity").oninput = show;
  part("divider").oninput = draw;
  part("nearer").onclick = () => zoom(1.5);
  part("farther").onclick = () => zoom(1 / 1.5);
  part("whole").onclick = () => zoom(0);
  canvas.style.aspectRatio = `${data.width} / ${data.height}`;
  part("waiting").hidden = true;
  part("page").hidden = false;
  new ResizeObserver(resized).observe(canvas);
  show();
}
