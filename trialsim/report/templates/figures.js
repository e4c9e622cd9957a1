"use strict";
(async function () {
  // Compressed in the page: gzip in base64.
  async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  let specs;
  try {
    specs = JSON.parse(await unpacked("figure-data"));
    const library = document.createElement("script");
    library.textContent = await unpacked("plotly");
    document.head.append(library);
  } catch (error) {
    document.querySelector("p.noscript[hidden]").hidden = false;
    throw error;
  }
  const darkOf = JSON.parse(document.getElementById("colour-exchange").textContent);
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const NARROW = 440; // px: below this, smaller type and room for a legend of several lines
  const PAPER = { wide: 690, half: 335, high: 720, squat: 0.85 }; // px: what A4 and Letter hold within the margins of style.css
  const config = { responsive: true, displayModeBar: false, scrollZoom: false, showTips: false };
  let printing = false;

  // A copy of a figure in which every colour of the light page is its dark partner.
  function recolour(value, dark) {
    if (typeof value === "string" && dark) {
      const partner = (one) => (Object.hasOwn(darkOf, one) ? darkOf[one] : one);
      return value.startsWith("<span style='color:") ? value.replace(/#\w{6}/, partner) : partner(value);
    }
    if (Array.isArray(value)) return value.map((item) => recolour(item, dark));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recolour(item, dark)]));
    }
    return value;
  }

  function set(target, key, value) {
    const path = key.split(".");
    const last = path.pop();
    path.reduce((part, name) => (part[name] ??= {}), target)[last] = value;
  }

  // What a figure asks for where its place is narrower than it likes: see `when_narrow` in theme.py.
  function narrowed(spec, room) {
    const asked = spec.layout.meta?.narrow;
    if (!asked || room >= asked.below) return;
    Object.entries(asked.layout).forEach(([key, value]) => set(spec.layout, key, value));
    spec.data.forEach((trace) => Object.entries(asked.data).forEach(([key, value]) => set(trace, key, value)));
  }

  function fit(layout, data, width) {
    if (width >= NARROW) return layout;
    layout.font.size = 11;
    for (const name of ["entrywidth", "entrywidthmode"]) delete layout.legend?.[name]; // columns of equal width would overlap
    const entries = data.filter((trace) => trace.showlegend === true).length;
    layout.height += layout.showlegend === false ? 0 : Math.max(44, 17 * entries);
    return layout;
  }

  // What the legend names, each with its traces: [name, [index, ...]]. A name hides its band and its numbers at risk with it.
  function entries(spec) {
    const group = (trace) => trace.legendgroup || trace.name;
    const named = spec.layout.showlegend === false ? [] : spec.data.filter((trace) => trace.name && trace.showlegend !== false);
    return [...new Map(named.map((trace) => [group(trace), trace.name]))]
      .map(([key, name]) => [name, [...spec.data.keys()].filter((index) => group(spec.data[index]) === key)]);
  }

  // A name of a legend may hold markup that Plotly draws; a button shows its text.
  function plain(markup) {
    const page = new DOMParser().parseFromString(markup.replaceAll("<br>", " "), "text/html");
    return page.body.textContent;
  }

  const hidden = new Map(); // key of a figure -> indices of the traces that the reader took away
  function shown(key, dark) {
    const spec = recolour(specs[key], dark);
    hidden.get(key)?.forEach((index) => { spec.data[index].visible = "legendonly"; });
    return spec;
  }

  function offer(place) {
    const key = place.dataset.figure;
    const parts = entries(specs[key]);
    if (parts.length < 2) return;
    const box = document.createElement("details");
    box.className = "toggles";
    box.innerHTML = "<summary>Show or hide a part of the figure</summary><div role='group'></div>";
    box.lastChild.setAttribute("aria-label", "Parts of the figure: " + place.closest("figure").querySelector("h3").textContent);
    const buttons = parts.map(([name, indices]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = plain(name);
      button.addEventListener("click", () => Plotly.restyle(place, { visible: button.ariaPressed === "true" ? "legendonly" : true }, indices));
      box.lastChild.append(button);
      return [button, indices];
    });
    function look() { // also after a click on the legend itself
      hidden.set(key, new Set([...place.data.keys()].filter((index) => place.data[index].visible === "legendonly")));
      buttons.forEach(([button, indices]) => button.setAttribute("aria-pressed", String(!hidden.get(key).has(indices[0]))));
    }
    place.on("plotly_restyle", look);
    look();
    place.closest("figure").append(box);
  }

  function draw(place) {
    const spec = shown(place.dataset.figure, prefersDark.matches && !printing);
    const { least = 0, narrow: other } = spec.layout.meta ?? {};
    const paper = place.closest("figure.half") ? PAPER.half : PAPER.wide;
    const width = Math.max(paper, least, other?.below ?? 0); // on paper a figure that asks for more is drawn smaller
    narrowed(spec, printing ? width : place.parentElement.clientWidth);
    place.style.zoom = printing ? paper / width : 1;
    place.style.minWidth = printing ? "" : least + "px";
    const layout = fit(spec.layout, spec.data, printing ? width : place.clientWidth);
    if (printing) Object.assign(layout, { width, height: Math.min(PAPER.squat * layout.height, PAPER.high * width / paper) });
    place.style.minHeight = layout.height + "px";
    return Plotly.react(place, spec.data, layout, config);
  }

  const places = [...document.querySelectorAll("[data-figure]")];
  function drawAll() { places.forEach(draw); }

  // One figure after the other, so that the page stays responsive while it fills.
  (function next(index) {
    if (index >= places.length) { reachable(); document.documentElement.dataset.drawn = "yes"; return; }
    draw(places[index]).then(offer);
    setTimeout(() => next(index + 1), 0);
  })(0);

  // A file for a paper or a slide: the light colours on white, whatever the page shows.
  document.querySelectorAll("[data-save]").forEach((button) => button.addEventListener("click", () => {
    const spec = shown(button.dataset.save, false);
    const layout = { ...spec.layout, width: 900, paper_bgcolor: "#ffffff" };
    Plotly.downloadImage({ data: spec.data, layout }, { format: "svg", filename: button.dataset.save, width: layout.width, height: layout.height });
  }));

  // Of every figure: whether it is drawn in the way of a narrow place.
  const forms = () => places.map((place) => {
    const room = place.parentElement.clientWidth;
    return `${window.innerWidth < NARROW}${room < (specs[place.dataset.figure].layout.meta?.narrow?.below ?? 0)}`;
  });
  let drawn = forms();
  window.addEventListener("resize", () => {
    const now = forms();
    places.forEach((place, index) => { if (now[index] !== drawn[index]) draw(place); });
    drawn = now;
    reachable();
  });
  prefersDark.addEventListener("change", drawAll);
  // A table or figure that is wider than its place scrolls, for the keyboard too.
  function reachable() {
    document.querySelectorAll(".scroll, .pan").forEach((box) => {
      const wide = box.scrollWidth > box.clientWidth + 1;
      for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", "Scrolls sideways"]]) {
        if (wide) box.setAttribute(name, value); else box.removeAttribute(name);
      }
    });
  }
  reachable();
  document.addEventListener("toggle", reachable, true);

  // On paper: light, and short folded tables open; the long ones (settings, convergence) are printed if the reader opened them.
  const LONG = 45; // rows
  let opened = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    opened = [...document.querySelectorAll("main details:not([open])")].filter((part) => part.querySelectorAll("tr").length < LONG && !part.matches(".assumptions"));
    opened.forEach((part) => { part.open = true; });
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    opened.forEach((part) => { part.open = false; });
    drawAll();
  });

  // Contents: folded on a small screen; the chapter in view is marked.
  const contents = document.querySelector(".contents details");
  if (window.innerWidth < 1080) contents.open = false;
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("main > section").forEach((section) => seen.observe(section));
})();
