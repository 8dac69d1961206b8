// Layers of the interactive map: their numbers, their pictures, their values in words.
const UNKNOWN = -32768;
const GREY = "#dddddd";
const WINDS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// A plane of whole numbers: differences from cell to cell, low bytes before high ones, deflated.
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const numbers = new Int16Array(bytes.length / 2);
  for (let i = 0, last = 0; i < numbers.length; i++) {
    numbers[i] = last + (bytes[i] | (bytes[numbers.length + i] << 8));
    last = numbers[i];
  }
  return numbers;
}

// The colour of each number of a layer.
function colouring(layer, palette) {
  if (layer.classes) return (value) => (layer.classes[value] ?? [null, GREY])[1];
  const share = (value) => (value / 10 ** layer.decimals - layer.low) / (layer.high - layer.low || 1);
  return (value) => palette[Math.round(clamp(share(value), 0, 1) * (palette.length - 1))];
}

function paint(layer, palette, plane, numbers) {
  const rows = numbers.length / plane.columns;
  const canvas = Object.assign(document.createElement("canvas"), { width: plane.columns, height: rows });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(plane.columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const colour = colouring(layer, palette);
  const known = new Map();
  numbers.forEach((value, i) => {
    if (value === UNKNOWN) return;
    if (!known.has(value)) {
      const rgb = parseInt(colour(value).slice(1), 16);
      known.set(value, (0xff000000 | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0);
    }
    pixels[i] = known.get(value);
  });
  pen.putImageData(image, 0, 0);
  return { canvas, width: plane.columns * plane.edge, height: rows * plane.edge, edge: plane.edge };
}

// The value of a layer at a place, with its unit and its rank among all.
function inWords(layer, numbers, place) {
  const value = numbers[place];
  if (value === UNKNOWN) return "unknown";
  if (layer.classes) return (layer.classes[value] ?? [`class ${value}`])[0];
  const number = value / 10 ** layer.decimals;
  if (layer.circular) return number < 0 ? "flat" : `${number.toFixed(0)}°, facing ${WINDS[Math.round(number / 45) % 8]}`;
  const text = number.toFixed(Math.max(0, layer.decimals)).replace("-", "−");
  let [known, lower] = [0, 0];
  for (const other of numbers) {
    known += other !== UNKNOWN;
    lower += other !== UNKNOWN && other < value;
  }
  const unit = layer.units && (layer.units === "°" ? "°" : ` ${layer.units}`);
  return `${text}${unit}, more than in ${Math.floor((100 * lower) / known)} % of the area`;
}
