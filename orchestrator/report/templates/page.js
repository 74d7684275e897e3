(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.classList.remove("static");

  // What lies packed in the page: gzip in base64.
  const unpacked = {};
  const unpack = id => unpacked[id] ??= (async () => {
    const bytes = Uint8Array.from(atob(one("#" + id).textContent), character => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  })();

  const say = text => { one("#said").textContent = text; };

  // Survivors that are not on the page as such.
  const AT_ONCE = 100;
  let rest = null, shownRest = 0;
  const linked = new Set();  // those that a link led to: they stay
  const loadRest = async () => {
    if (rest || !one("#packed-cards")) return rest ??= [];
    rest = JSON.parse(await unpack("packed-cards")).map(([ids, find, html]) => ({ ids, find, html, element: null }));
    return rest;
  };
  const made = entry => {
    if (!entry.element) {
      const holder = document.createElement("template");
      holder.innerHTML = entry.html;
      entry.element = holder.content.firstElementChild;
    }
    return entry.element;
  };
  const place = entries => one("#rest").replaceChildren(...entries.map(made));
  const placeRest = () => {
    const entries = [...linked, ...rest.slice(0, shownRest).filter(entry => !linked.has(entry))];
    place(entries);
    tellRest(rest.length - entries.length);
  };
  const showRest = async () => {
    shownRest = Math.min((await loadRest()).length, shownRest + AT_ONCE);
    placeRest();
  };
  const tellRest = left => {
    const button = one("#show-rest");
    if (!button) return;
    button.hidden = !left;
    button.textContent = `Show more: ${left} left`;
  };
  one("#show-rest")?.addEventListener("click", showRest);

  // The filter: every word must be there.
  const groups = all("[data-filtered]").map(element => ({
    element,
    name: element.dataset.filtered,
    items: () => element.items ??= (element.matches("table") ? [...element.tBodies[0].rows] : all("[data-find]", element))
      .filter(item => !item.closest("#rest"))
      .map(item => ({ item, find: item.dataset.find ?? item.textContent.toLowerCase() })),
  }));
  let filtered = "", turn = 0;
  const filter = text => {
    filtered = text;
    const mine = ++turn, words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = find => words.every(word => find.includes(word));
    let count = 0;
    for (const group of groups) {
      let here = 0;
      for (const { item, find } of group.items()) {
        const fit = fits(find);
        if (item.hidden === fit) item.hidden = !fit;
        here += fit;
      }
      tellNone(group.name, words.length && !here);
      count += here;
    }
    for (const more of all("details.more")) {
      if (words.length) more.open = all(":scope > [data-find]", more).some(card => !card.hidden);
    }
    tellMatches(words.length ? count : null);
    if (one("#packed-cards")) filterRest(mine, words, fits, count);
  };
  const tellMatches = (count, more = "") => {
    one("#matches").textContent = count === null ? "" : `${count || "no"} match${count === 1 ? "" : "es"}${more}`;
  };
  const tellNone = (name, none) => {
    const note = one(`[data-none="${name}"]`);
    if (note) note.hidden = !none;
  };
  const filterRest = async (mine, words, fits, count) => {
    if (!words.length) {
      if (rest) placeRest();
      return;
    }
    const found = (await loadRest()).filter(entry => fits(entry.find));
    if (mine !== turn) return;
    place(found.slice(0, AT_ONCE));
    one("#show-rest").hidden = true;
    if (found.length) tellNone("survivors", false);
    tellMatches(count + found.length, found.length > AT_ONCE ? `, the first ${AT_ONCE} of the last ${found.length} shown` : "");
  };

  // The fragment holds where to look, and the filter: #mutant-3fa29c01d2b4, #filter=POST, #survivors&filter=new
  const read = () => {
    const parts = location.hash.slice(1).split("&");
    const told = parts.find(part => part.startsWith("filter="));
    try {
      const id = decodeURIComponent(parts.find(part => part && part !== told) ?? "");
      return { id, text: told && decodeURIComponent(told.slice(7)) };
    } catch { return { id: "" }; } // not ours
  };
  const write = (id = "") => {
    const hash = [id, filtered && "filter=" + encodeURIComponent(filtered)].filter(Boolean).join("&");
    try { history.replaceState(null, "", location.href.split("#")[0] + (hash && "#" + hash)); } catch { /* a frame without an origin */ }
  };
  const reveal = element => {
    for (let outer = element; outer; outer = outer.parentElement) {
      if (outer.tagName === "DETAILS") outer.open = true;
      if (outer.hidden) outer.hidden = false;
    }
    element.scrollIntoView({ block: "start" });
    element.focus({ preventScroll: true });
  };
  const go = async () => {
    const { id, text = filtered } = read();
    if (text !== filtered) { box.value = text; filter(text); }
    if (!id) return;
    if (filtered) write(encodeURIComponent(id)); // a link on the page leaves the filter as it is
    if (!document.getElementById(id) && id.startsWith("mutant-")) {
      const entry = (await loadRest()).find(entry => entry.ids.includes(id.slice(7)));
      if (entry) { linked.add(entry); one("#rest").prepend(made(entry)); }
    }
    const element = document.getElementById(id);
    if (element) reveal(element);
  };
  addEventListener("hashchange", go);

  const box = one("#filter");
  const ask = text => { box.value = text; filter(text); write(); };
  box.addEventListener("input", () => ask(box.value));

  // Sorting: a click on a head sorts by its column, another one the other way round.
  const number = text => { const found = /-?\d[\d,.]*/.exec(text); return found ? parseFloat(found[0].replace(/,/g, "")) : -1; };
  for (const table of all("[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = row => column ? number(row.cells[column].textContent) : row.cells[0].textContent;
        const rows = [...table.tBodies[0].rows].map(row => [value(row), row]);
        rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  // Copying; a frame may be denied the clipboard.
  const copy = async text => {
    if (document.featurePolicy?.allowsFeature("clipboard-write") ?? true) {
      try { await navigator.clipboard.writeText(text); return true; } catch { /* the old way */ }
    }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  document.addEventListener("click", async event => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const done = await copy(one("pre", button.parentElement).textContent);
    button.textContent = done ? "Copied" : "Select it";
    say(done ? "Copied" : "It can't be copied here: select it");
    if (!done) getSelection().selectAllChildren(one("pre", button.parentElement));
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });

  // Keys.
  const step = by => {
    const cards = all("article.card").filter(card => card.checkVisibility());
    if (!cards.length) return;
    const current = one("article[aria-current]"), at = cards.indexOf(current);
    const next = cards[at < 0 ? (by > 0 ? 0 : cards.length - 1) : Math.min(cards.length - 1, Math.max(0, at + by))];
    current?.removeAttribute("aria-current");
    next.setAttribute("aria-current", "true");
    reveal(next);
  };
  const help = one("#help");
  one("#help-button").addEventListener("click", () => help.showModal());
  const keys = {
    "/": () => { box.focus(); box.select(); },
    j: () => step(1),
    k: () => step(-1),
    o: () => { const hidden = all("article[aria-current] details"); const open = hidden.some(d => !d.open); hidden.forEach(d => { d.open = open; }); },
    c: () => { const pre = one("article[aria-current] .copyable .copy"); pre?.click(); },
    "?": () => help.showModal(),
  };
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !help.open && (filtered || event.target === box)) { ask(""); box.blur(); return; }
    if (event.target.matches("input, textarea, select") || help.open || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  // All mutants by file: a viewer of others, in a frame that can reach nothing.
  one("#browser")?.addEventListener("toggle", async () => {
    const holder = one("#browser-frame"), said = one("#browser-said");
    if (!one("#browser").open || holder.firstChild) return;
    const frame = document.createElement("iframe");
    holder.append(frame);
    try {
      const [viewer, begin, mutants] = await Promise.all(["packed-viewer", "packed-frame", "packed-mutants"].map(unpack));
      frame.title = "All mutants, by file";
      frame.setAttribute("sandbox", "allow-scripts");
      addEventListener("message", event => {
        if (event.source !== frame.contentWindow) return;
        if (event.data === "ready") frame.contentWindow.postMessage(mutants, "*");
        if (event.data === "shown") { said.hidden = true; frame.dataset.shown = "true"; }
      });
      frame.srcdoc = '<!doctype html><html lang="en"><title>Mutants</title><body><mutation-test-report-app></mutation-test-report-app>'
        + "<script>" + viewer + "<\/script><script>" + begin + "<\/script>";
    } catch (error) {
      frame.remove();
      said.textContent = "This browser can't show it; mutation.json beside this page has the same.";
    }
  });

  addEventListener("beforeprint", () => all("details").forEach(details => { if (details.id !== "browser") details.open = true; }));
  go();
})();
