// What Gradio's events cannot do: open a passage and come back, choose a stretch of days, copy,
// save a file. Each function is handed to a gr.HTML component, whose contents Python writes.
(() => {
  "use strict";
  let articleClosed = false; // by the step back just taken
  let goingBack = false;
  let opener = null; // what was chosen to open the article: the focus goes back there

  const closest = (event, selector) =>
    event.target instanceof Element ? event.target.closest(selector) : null;

  // The conversation: passages, copying, dossiers.
  function conversation(element, trigger, watch) {
    let shown = null;
    watch("value", () => requestAnimationFrame(() => {
      // A new question comes into view once; after that nothing moves.
      const turn = element.closest("#current") && element.querySelector(".turn");
      if (turn && turn.dataset.key !== shown) ragPage.arrived(turn);
      shown = turn?.dataset.key ?? null;
    }));
    ragPage.attach(element, trigger, watch);
    steady(element);
    element.addEventListener("click", (event) => {
      const passage = closest(event, "[data-place]");
      if (passage) {
        opener = passage;
        document.querySelectorAll("[data-place].open").forEach((o) => o.classList.remove("open"));
        passage.classList.add("open");
        trigger("select", { place: passage.dataset.place });
      }
      const copy = closest(event, "[data-copy]");
      if (copy) copyText(copy);
      const dossier = closest(event, "[data-dossier]");
      if (dossier) {
        const { turn, dossier: kind, whole } = dossier.dataset;
        trigger("download", { turn: Number(turn), kind, whole: whole === "true" });
      }
      const example = closest(event, "[data-question]");
      if (example) trigger("example_select", { question: example.dataset.question });
    });
  }

  // What somebody reads or has chosen below the answer stays where it is when that grows.
  function steady(element) {
    let before = null;
    const held = () => {
      const focused = element.querySelector(".evidence :focus");
      if (focused) return focused;
      const box = element.querySelector(".evidence");
      return box && box.getBoundingClientRect().top < innerHeight / 3 ? box : null;
    };
    new MutationObserver(() => {
      const now = before && held();
      if (now) scrollBy(0, now.getBoundingClientRect().top - before);
      note();
    }).observe(element, { childList: true, subtree: true, characterData: true });
    const note = () => (before = held()?.getBoundingClientRect().top ?? null);
    document.addEventListener("scroll", note, { passive: true });
    element.addEventListener("focusin", note);
  }

  async function copyText(button) {
    const text = button.dataset.copy;
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      // No clipboard outside of https and this machine: the old way.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const before = button.textContent;
    button.textContent = done ? "Copied" : "Copying is not allowed here";
    setTimeout(() => (button.textContent = before), 1500);
  }

  // The article beside the answer: to the cited sentence, and back with Escape.
  function article(element, trigger, watch) {
    const show = () => {
      const mark = element.querySelector("#cited");
      const title = element.querySelector("#article-title");
      document.body.classList.toggle("article-open", Boolean(title || mark));
      const target = mark || title;
      if (!target) return;
      // An entry of its own, so that Back closes the article and not the page.
      if (!history.state?.article) history.pushState({ article: true }, "");
      target.focus({ preventScroll: true });
      const box = element.closest("#panel, #page-of-article, #page-of-story");
      const at = target.getBoundingClientRect().top - box.getBoundingClientRect().top;
      box.scrollTop += at - box.clientHeight / 3;
    };
    watch("value", () => requestAnimationFrame(show));
    document.addEventListener("click", (event) => closest(event, ".close-article") && element.contains(event.target) && close());
    element.addEventListener("click", (event) => {
      const other = closest(event, "[data-article]");
      if (other) trigger("select", { article_id: other.dataset.article });
      const { takeOut, title } = closest(event, "[data-take-out]")?.dataset ?? {};
      if (takeOut !== undefined && confirm(`Take “${title}” out of the index?`)) {
        trigger("apply", { article_id: takeOut });
        close();
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    const isOpen = () =>
      document.body.classList.contains("article-open") && element.querySelector("#article-title");
    const close = () => {
      if (!isOpen() || goingBack) return;
      goingBack = Boolean(history.state?.article);
      goingBack ? history.back() : shut();
    };
    window.addEventListener("popstate", () => {
      goingBack = false;
      if (history.state?.article || !isOpen()) return;
      articleClosed = true;
      setTimeout(() => (articleClosed = false), 50);
      shut();
      ragPage.readdress();
    });
    const shut = () => {
      document.body.classList.remove("article-open");
      document.querySelectorAll("[data-place].open").forEach((o) => o.classList.remove("open"));
      trigger("clear");
      if (opener?.isConnected) opener.focus();
    };
  }

  // The timeline: one bar, or from bar to bar by dragging or with Shift.
  function timeline(element, trigger) {
    let from = null;
    let anchor = null; // the bar chosen before: Shift extends from there
    const bars = () => [...element.querySelectorAll(".bar")];
    const choose = (first, last) => {
      const all = bars();
      const [a, b] = [all.indexOf(first), all.indexOf(last)].sort((x, y) => x - y);
      if (a < 0) return;
      trigger("select", { since: all[a].dataset.since, until: all[b].dataset.until });
    };
    const barAt = (event) => {
      const box = element.querySelector(".bars").getBoundingClientRect();
      return bars().find((bar) => event.clientX <= bar.getBoundingClientRect().right)
        || (event.clientX > box.right ? bars().at(-1) : null);
    };
    const mark = (first, last) => {
      const all = bars();
      const [a, b] = [all.indexOf(first), all.indexOf(last)].sort((x, y) => x - y);
      all.forEach((bar, i) => bar.classList.toggle("drawn", i >= a && i <= b));
    };
    element.addEventListener("pointerdown", (event) => {
      from = closest(event, ".bar");
      if (from && !event.shiftKey) mark(from, from);
    });
    document.addEventListener("pointermove", (event) => from && mark(from, barAt(event) || from));
    document.addEventListener("pointerup", (event) => {
      if (!from) return;
      const to = barAt(event) || from;
      if (to !== from) choose(from, to);
      bars().forEach((bar) => bar.classList.remove("drawn"));
      from = null;
    });
    element.addEventListener("click", (event) => {
      if (closest(event, ".clear")) trigger("clear");
      const bar = closest(event, ".bar");
      if (!bar) return;
      choose(event.shiftKey && anchor?.isConnected ? anchor : bar, bar);
      anchor = bar;
    });
    element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const bar = closest(event, ".bar");
      if (!step || !bar) return;
      const all = bars();
      all[all.indexOf(bar) + step]?.focus();
      event.preventDefault();
    });
  }

  // The library: its table, the files handed over, what a build says.
  function library(element, trigger) {
    element.addEventListener("click", (event) => {
      const value = closest(event, "[data-narrow]");
      if (value) trigger("apply", { name: value.dataset.narrow, value: value.dataset.value });
      if (closest(event, "[data-narrow-not]")) trigger("apply", {});
      const back = closest(event, "[data-take-back]");
      if (back) trigger("apply", { take_back: back.dataset.takeBack });
      const sort = closest(event, "[data-sort]");
      if (sort) trigger("apply", { sort: sort.dataset.sort });
      const page = closest(event, "[data-page]");
      if (page) trigger("apply", { page: Number(page.dataset.page) });
      const row = closest(event, "[data-article]");
      if (row) {
        opener = row;
        trigger("select", { article_id: row.dataset.article });
      }
      const file = closest(event, "[data-remove]")?.dataset.remove;
      if (file !== undefined && confirm(`Remove “${file}” and its articles?`)) {
        trigger("apply", { name: file });
      }
      if (closest(event, "[data-let-go]")) trigger("apply", {});
    });
  }

  // What is followed, and the new stories.
  function followed(element, trigger) {
    element.addEventListener("click", (event) => {
      const story = closest(event, "[data-place]");
      if (story) {
        opener = story;
        trigger("select", { place: story.dataset.place });
      }
      const { unfollow, name } = closest(event, "[data-unfollow]")?.dataset ?? {};
      if (unfollow && confirm(`Stop following “${name}”, and forget its stories?`)) {
        trigger("delete", { name: unfollow });
      }
    });
  }

  // The filters, shown and hidden.
  function toggleFilters() {
    const open = document.body.classList.toggle("narrowing");
    document.querySelector("#narrow").setAttribute("aria-expanded", String(open));
  }

  // Uploads show that they come from this page; a page of another site does not know its token.
  const token = document.querySelector('meta[name="x-rag-page"]')?.content;
  const send = window.fetch;
  window.fetch = (target, options = {}) => {
    const path = new URL(target.url ?? target, location.href).pathname;
    if (!path.endsWith("/gradio_api/upload")) return send(target, options);
    const headers = new Headers(options.headers);
    headers.set("x-rag-page", token);
    return send(target, { ...options, headers });
  };

  // What is too long to be asked stays in the box, whole, and is not sent.
  const MAX_QUESTION = 2000;
  function limit(element) {
    const box = () => document.querySelector("#question textarea");
    const isTooLong = () => box().value.trim().length > MAX_QUESTION;
    const tell = () => {
      const n = box().value.trim().length;
      element.querySelector("p").textContent = isTooLong()
        ? `${n.toLocaleString("en")} characters: a question has at most ` +
          `${MAX_QUESTION.toLocaleString("en")}. Nothing was cut off; shorten it to ask it.`
        : "";
    };
    document.addEventListener("input", (event) => event.target === box() && tell());
    const hold = (event) => {
      const asks = event.type === "click"
        ? closest(event, "#ask")
        : event.target === box() && event.key === "Enter" && !event.shiftKey;
      if (!asks || !isTooLong()) return;
      tell();
      event.preventDefault();
      event.stopImmediatePropagation();
      box().focus();
    };
    for (const kind of ["click", "keydown", "keypress"]) document.addEventListener(kind, hold, true);
  }

  // A file made by the server: {name, type, text}.
  function save(file) {
    if (!file) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  window.ragPage = { limit, followed, conversation, article, timeline, library, toggleFilters, save, closedArticle: () => articleClosed };
})();
