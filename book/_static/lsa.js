// What the theme leaves open: figures that can be enlarged, wide tables that a keyboard can scroll, and large
// scripts that wait until they are needed.

// One dialog of the page shows the figure that was asked for. A dialog that the browser knows keeps the
// focus inside, closes on Escape, and gives the focus back to the link that opened it.
function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.className = "lsa-enlarged";
  dialog.setAttribute("aria-label", "Enlarged figure");
  dialog.innerHTML =
    '<form method="dialog"><button class="btn" autofocus>Close</button></form>' +
    '<div class="lsa-enlarged-picture" tabindex="0" role="group" aria-label="Figure, scrolls"><img alt=""></div>' +
    "<p></p>";
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  // Sphinx' own script takes the Escape of the whole page, to hide the words of a search.
  dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") event.stopPropagation(); });
  document.body.append(dialog);
  return dialog;
}

function showEnlarged(dialog, image) {
  const shown = dialog.querySelector("img");
  shown.src = image.src;
  shown.alt = image.alt;
  shown.style.setProperty("--drawn", `${image.getAttribute("width") ?? image.naturalWidth}px`);
  const caption = image.closest("figure")?.querySelector("figcaption p");
  const words = caption ? caption.cloneNode(true) : document.createElement("p");
  words.querySelector(".headerlink")?.remove();
  dialog.querySelector(":scope > p").replaceWith(words);
  dialog.showModal();
}

// Every figure becomes a link to its file: without this script, and in a new tab, it is that.
function letFiguresEnlarge() {
  const images = [...document.querySelectorAll('.bd-article img[src*="_images/"]')];
  const open = images.filter((image) => !image.closest("a"));
  if (!open.length) return;
  const dialog = makeDialog();
  for (const image of open) {
    const link = document.createElement("a");
    Object.assign(link, { href: image.src, className: "lsa-figure", title: "Enlarge this figure" });
    image.replaceWith(link);
    link.append(image);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      showEnlarged(dialog, image);
    });
  }
}

// What scrolls sideways can be reached with the keyboard and says what it is; what fits is no stop.
const WIDE = ".cell_output > .output, .pst-scrollable-table-container, .bd-article pre, .bd-article div.math";

function nameIfItScrolls(box) {
  const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  box.tabIndex = scrolls ? 0 : -1;
  if (scrolls) {
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.querySelector("table") ? "Table, scrolls" : "Text, scrolls");
  } else {
    box.removeAttribute("role");
    box.removeAttribute("aria-label");
  }
}

// MathJax and the numbers of the map are asked for when a reader comes near a formula or the map, or prints.
function loadWhenNear(waiting) {
  const load = () => {
    watch.disconnect();
    if (!waiting.isConnected) return;
    waiting.replaceWith(Object.assign(document.createElement("script"), { src: waiting.dataset.src }));
  };
  const watch = new IntersectionObserver(
    (seen) => { if (seen.some(({ isIntersecting }) => isIntersecting)) load(); },
    { rootMargin: "800px 0px" },
  );
  document.querySelectorAll(waiting.dataset.near).forEach((item) => watch.observe(item));
  window.addEventListener("beforeprint", load);
  if (matchMedia("print").matches) load();
}

// Boxes change when the window does, when a solution opens, when maths is typeset.
document.addEventListener("DOMContentLoaded", () => {
  letFiguresEnlarge();
  document.querySelectorAll('script[type="lsa/later"]').forEach(loadWhenNear);
  const watch = new ResizeObserver((seen) => seen.forEach(({ target }) => nameIfItScrolls(target)));
  document.querySelectorAll(WIDE).forEach((box) => watch.observe(box));
});
