/** Canvases: sized for the screen's pixels, inked with the colours of the theme. */

/**
 * @typedef {object} Surface
 * @property {CanvasRenderingContext2D} pen
 * @property {number} width CSS pixels
 * @property {number} height
 */

/**
 * Return an empty surface; null while the canvas has no size.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {Surface | null}
 */
export function surfaceOf(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const pen = canvas.getContext("2d");
  if (!pen || !width || !height) return null;
  const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
  // Giving a canvas a size clears it, which takes long.
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

/**
 * Return colours of style.css by name, as the theme has them now.
 *
 * @template {string} Name
 * @param {Name[]} names
 * @returns {Record<Name, string>}
 */
export function inks(...names) {
  const style = getComputedStyle(document.documentElement);
  return /** @type {Record<Name, string>} */ (
    Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`)]))
  );
}
