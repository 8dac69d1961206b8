// Tell require.js where the copied map widget lies, seen from this script, so that pages of any depth find it.
var lsaStatic = document.currentScript.src.replace(/widget-paths\.js.*$/, "");
window.requirejs.config({ paths: { "jupyter-leaflet": lsaStatic + "vendor/jupyter-leaflet/index" } });
