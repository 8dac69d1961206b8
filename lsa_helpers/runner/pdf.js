// Before the book is printed: what is wider than the paper's text becomes smaller, since paper does
// not scroll. Formulas are measured when they are typeset.
function fit(item) {
  const room = item.parentElement.closest("td, div, section, article").clientWidth;
  if (item.offsetWidth > room + 1) item.style.zoom = room / item.offsetWidth;
}
addEventListener("load", async () => {
  if (window.MathJax?.startup) await MathJax.startup.promise;
  document.querySelectorAll("article table, article mjx-container[display]").forEach(fit);
});
