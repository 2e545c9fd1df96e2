/** Files that are dropped on the page: a video to play along, a sound to shape. */

/**
 * @param {{video: (file: File) => void, sound: (file: File) => void, refuse: (name: string) => void}} actions
 */
export function followDrops({ video, sound, refuse }) {
  let depth = 0;
  const mark = () => document.body.toggleAttribute("data-dropping", depth > 0);
  const hasFile = (/** @type {DragEvent} */ event) => Boolean(event.dataTransfer?.types.includes("Files"));
  addEventListener("dragenter", (event) => {
    if (!hasFile(event)) return;
    depth += 1;
    mark();
  });
  addEventListener("dragleave", (event) => {
    if (!hasFile(event)) return;
    depth = Math.max(0, depth - 1);
    mark();
  });
  // Without this the browser would open the file in place of the page.
  addEventListener("dragover", (event) => hasFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    depth = 0;
    mark();
    for (const file of event.dataTransfer?.files ?? []) {
      if (file.type.startsWith("video/")) video(file);
      else if (file.type.startsWith("audio/")) sound(file);
      else refuse(file.name);
    }
  });
}

/**
 * Let the user choose a file.
 *
 * @param {string} accept kinds, such as "video/*"
 * @param {(file: File) => void} then
 */
export function chooseFile(accept, then) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = accept;
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) then(file);
  });
  input.click();
}
