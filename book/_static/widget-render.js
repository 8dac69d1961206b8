// Draw the saved widgets of the page with the copied widget manager.
window.addEventListener("load", function () {
  window.require(["@jupyter-widgets/html-manager/dist/libembed-amd"], function (embed) { embed.renderWidgets(); });
});
