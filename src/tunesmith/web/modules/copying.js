/** Copying: a text to the clipboard. */

/**
 * Copy a text, and say so; where the browser has no clipboard, select the place that shows it.
 *
 * @param {string} text
 * @param {HTMLElement} said a status
 * @param {HTMLElement} place
 */
export async function copyText(text, said, place) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "Copied";
  } catch {
    // Pages without TLS have no clipboard: the text is selected, for the user's own keys.
    place.hidden = false;
    getSelection()?.selectAllChildren(place);
    said.textContent = "Selected: copy it with Ctrl+C";
  }
}
