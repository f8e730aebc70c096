"use strict";
// Draws the sections of a report from the numbers in the element "data". Every text is set as text.
(() => {
  const STEP = 50; // entries of a list that are added at once
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  const make = (name, attributes = {}, ...children) =>
    fill(document.createElement(name), attributes, children);
  const draw = (name, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, name), attributes, children);
  // A value in its own direction of writing; null is a missing one.
  const text = (value) =>
    value === null ? make("span", { class: "missing" }, "missing") : make("bdi", {}, value);

  // ------------------------------------------------------------ charts

  // A chart is drawn again when its width changes, so letters keep their size.
  function chart(spec, height, paint) {
    const box = make("div");
    let width = 0;
    new ResizeObserver(() => {
      if (box.clientWidth === width) return;
      width = box.clientWidth;
      const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spec.label });
      paint(svg, width, height);
      box.replaceChildren(svg);
    }).observe(box);
    const names = (spec.series || []).map((each) => each.name);
    if (names.length < 2) return box;
    const legend = names.map((name, i) => make("span", { class: i ? "two" : "one" }, text(name)));
    return make("div", {}, make("div", { class: "legend" }, ...legend), box);
  }

  function axes(svg, spec, width, height, area) {
    const x = (share) => area.left + share * (width - area.left - area.right);
    const y = (share) => height - area.bottom - share * (height - area.top - area.bottom);
    for (const [share, name] of spec.y_ticks) {
      svg.append(draw("line", { class: "grid", x1: x(0), x2: x(1), y1: y(share), y2: y(share) }));
      svg.append(draw("text", { x: x(0) - 6, y: y(share) + 4, "text-anchor": "end" }, name));
    }
    svg.append(draw("line", { class: "axis", x1: x(0), x2: x(1), y1: y(0), y2: y(0) }));
    const taken = []; // by labels; those at the ends come first
    const inside = (share) => Math.min(share, 1 - share);
    for (const [share, name] of [...spec.x_ticks].sort((a, b) => inside(a[0]) - inside(b[0]))) {
      const half = 3.5 * name.length + 3;
      const middle = Math.min(Math.max(x(share), half), width - half);
      if (taken.some(([from, to]) => middle - half < to && middle + half > from)) continue;
      taken.push([middle - half, middle + half]);
      svg.append(draw("line", { class: "axis", x1: x(share), x2: x(share), y1: y(0), y2: y(0) + 4 }));
      svg.append(draw("text", { x: middle, y: y(0) + 17, "text-anchor": "middle" }, name));
    }
    svg.append(draw("text", { x: (x(0) + x(1)) / 2, y: height - 3, "text-anchor": "middle" }, spec.x));
    svg.append(draw("text", { x: 0, y: 12 }, spec.y));
    return { x, y };
  }

  // Bars side by side in bins of equal width; marks are lines at shares of the axis.
  function bars(spec) {
    return chart(spec, 230, (svg, width, height) => {
      const { x, y } = axes(svg, spec, width, height, { left: 52, right: 8, top: 26, bottom: 40 });
      const n = spec.series[0].heights.length;
      spec.series.forEach((series, i) => {
        const wide = 1 / n / spec.series.length;
        series.heights.forEach((share, j) => {
          if (!share) return;
          const left = x(j / n + i * wide) + 0.5;
          const size = Math.max(x(j / n + (i + 1) * wide) - left - 0.5, 0.5);
          const early = spec.split && spec.marks.length && (j + 0.5) / n < spec.marks[0][0];
          const shape = { class: `bar ${i || early ? "two" : "one"}`, x: left, width: size, y: y(share), height: y(0) - y(share) };
          svg.append(draw("rect", shape, draw("title", {}, series.names[j])));
        });
      });
      for (const [share, name] of spec.marks || []) {
        const end = share > 0.5;
        svg.append(draw("line", { class: "mark", x1: x(share), x2: x(share), y1: 16, y2: y(0) }));
        svg.append(draw("text", { class: "mark", x: x(share) + (end ? -6 : 6), y: 26, "text-anchor": end ? "end" : "start" }, name));
      }
    });
  }

  function lines(spec) {
    return chart(spec, 260, (svg, width, height) => {
      const { x, y } = axes(svg, spec, width, height, { left: 52, right: 14, top: 26, bottom: 40 });
      spec.series.forEach((series, i) => {
        const kind = i ? "two" : "one";
        const places = series.points.map(([across, up]) => [x(across), y(up)]);
        svg.append(draw("path", { class: kind, d: "M" + places.map((place) => place.join()).join("L") }));
        places.forEach(([cx, cy], j) =>
          svg.append(draw("circle", { class: kind, cx, cy, r: 4 }, draw("title", {}, series.names[j]))));
      });
    });
  }

  // A square of cells; the darker, the larger the value between 0 and 1.
  function matrix(spec) {
    const n = spec.labels.length;
    const short = (name) => (name.length > 16 ? name.slice(0, 15) + "…" : name);
    const room = 10 + 6.5 * Math.max(...spec.labels.map((name) => short(name).length));
    return chart(spec, 0, (svg, width) => {
      const gap = Math.min(room, width / 3);
      const size = Math.min((width - gap) / n, 26);
      const some = Math.ceil(12 / size); // labels that don't touch each other
      spec.values.forEach((row, i) => {
        if (i % some === 0) {
          const middle = i * size + size / 2;
          svg.append(draw("text", { x: gap - 6, y: middle + 4, "text-anchor": "end" }, short(spec.labels[i])));
          const turn = `translate(${gap + middle + 4} ${n * size + 6}) rotate(-90)`;
          svg.append(draw("text", { transform: turn, "text-anchor": "end" }, short(spec.labels[i])));
        }
        row.forEach((value, j) => {
          const cell = { class: "cell", x: gap + j * size, y: i * size, width: size, height: size, "fill-opacity": value };
          const name = `${spec.labels[i]} × ${spec.labels[j]}: ${spec.names[i][j]}`;
          svg.append(draw("rect", cell, draw("title", {}, name)));
        });
      });
      svg.setAttribute("viewBox", `0 0 ${width} ${n * size + room}`);
    });
  }

  // ------------------------------------------------------------ tables and pictures

  function table(spec) {
    const kind = (j) => (spec.numbers.includes(j) ? { class: "number" } : {});
    const heads = spec.heads.map((name, j) => make("th", { scope: "col", ...kind(j) }, name));
    const most = Math.max(...spec.rows.map((row) => parseFloat(row[spec.share]) || 0));
    const rows = spec.rows.map((row) =>
      make("tr", {}, ...row.map((value, j) => {
        const cell = make("td", kind(j), text(value));
        if (j === spec.share && most) {
          const bar = make("span", { class: "share", "aria-hidden": "true" });
          bar.style.width = `${(100 * parseFloat(value)) / most}%`;
          cell.append(bar);
        }
        return cell;
      })));
    return make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  }

  function compare(spec) {
    const [original, ...decoded] = spec.images;
    const under = make("img", { src: original.source, alt: "original" });
    const over = make("img", { class: "over" });
    const stack = make("div", { class: "stack" }, under, over);
    const name = make("span");
    const slider = make("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "where the decoded image begins" });
    slider.addEventListener("input", () => stack.style.setProperty("--at", `${slider.value}%`));
    const choice = make("select", {}, ...decoded.map((image, i) => make("option", { value: i }, image.name)));
    const show = () => {
      const image = decoded[choice.value];
      over.src = image.source;
      over.alt = `decoded, ${image.name}`;
      name.textContent = image.name;
    };
    choice.value = spec.first;
    choice.addEventListener("change", show);
    show();
    const tags = make("div", { class: "tags" }, make("span", {}, original.name), name);
    const pick = make("div", { class: "controls" }, make("label", {}, "Compare with", choice));
    return make("figure", { class: "compare" }, pick, tags, stack, slider);
  }

  // ------------------------------------------------------------ lists

  const words = (value) =>
    Array.isArray(value) ? value.map(words).join("\n") : typeof value === "string" ? value : "";

  function entry(item, spec) {
    const cells = item.cells.map((value, j) => {
      const cell = make("span", spec.optional.includes(j) ? { class: "optional" } : {}, text(value));
      if (value) cell.title = value;
      return cell;
    });
    const details = make("details", {}, make("summary", {}, ...cells));
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1)
        details.append(make("div", { class: "detail" }, ...item.figures.map(figure)));
    });
    return details;
  }

  // Entries that open, with a search over all their text and perhaps a choice of groups.
  function list(spec) {
    const all = spec.items.map((item) => {
      const tables = item.figures.map((each) => words(each.rows || []));
      return { item, found: [words(item.cells), ...tables].join("\n").toLowerCase() };
    });
    const search = make("input", { type: "search", autocomplete: "off" });
    const group = make("select", {}, make("option", { value: "" }, "all"),
      ...spec.groups.map((name, i) => make("option", { value: i }, name)));
    const count = make("output", { "aria-live": "polite" });
    const box = make("div");
    const more = make("button", { type: "button" });
    let chosen = [];
    let shown = 0;

    function add() {
      box.append(...chosen.slice(shown, shown + STEP).map(({ item }) => entry(item, spec)));
      shown = Math.min(shown + STEP, chosen.length);
      more.hidden = shown === chosen.length;
      more.textContent = `Show more (${(chosen.length - shown).toLocaleString("en")} left)`;
    }
    function choose() {
      const wanted = search.value.toLowerCase().split(/\s+/);
      chosen = all.filter(({ item, found }) =>
        wanted.every((word) => found.includes(word)) &&
        (group.value === "" || item.groups.includes(Number(group.value))));
      const numbers = [chosen.length, all.length].map((n) => n.toLocaleString("en"));
      count.textContent = `${numbers[0]} of ${numbers[1]} ${spec.unit}`;
      box.replaceChildren();
      shown = 0;
      add();
    }
    search.addEventListener("input", choose);
    group.addEventListener("change", choose);
    more.addEventListener("click", add);
    choose();
    if (spec.open && box.firstChild) box.firstChild.open = true;

    const controls = make("div", { class: "controls" }, make("label", {}, spec.search, search));
    if (spec.groups.length) controls.append(make("label", {}, spec.group, group));
    controls.append(count);
    const heads = spec.heads.map((name, j) => make("span", spec.optional.includes(j) ? { class: "optional" } : {}, name));
    const whole = make("div", {}, controls, make("div", { class: "heads", "aria-hidden": "true" }, make("span"), ...heads), box, more);
    whole.style.setProperty("--cells", spec.heads.length);
    whole.style.setProperty("--few", spec.heads.length - spec.optional.length);
    return whole;
  }

  const KINDS = { bars, lines, matrix, table, compare, list };
  const figure = (spec) => KINDS[spec.kind](spec);

  const data = JSON.parse(document.getElementById("data").textContent);
  document.getElementById("sections").append(...data.map((section) => {
    const note = section.note ? [make("p", { class: "note" }, section.note)] : [];
    return make("section", {}, make("h2", {}, section.title), ...note, ...section.figures.map(figure));
  }));
})();
