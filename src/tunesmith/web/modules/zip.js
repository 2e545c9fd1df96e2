/** Files of a ZIP whose entries are stored as they are, as the server's stems: APPNOTE.TXT of PKWARE, 4.3. */

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const LOCAL_BYTES = 30;

/**
 * @typedef {object} ZipFile
 * @property {string} name
 * @property {Uint8Array} content
 */

/**
 * Return the files in their order. Sizes of 4 GiB and more are not read.
 *
 * @param {Uint8Array} archive
 * @returns {ZipFile[]}
 */
export function unzipped(archive) {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  let at = archive.byteLength - END_BYTES;
  while (at > 0 && view.getUint32(at, true) !== END) at -= 1;
  const count = view.getUint16(at + 10, true);
  at = view.getUint32(at + 16, true);
  return Array.from({ length: count }, () => {
    if (view.getUint32(at, true) !== ENTRY || view.getUint16(at + 10, true) !== 0)
      throw new DOMException("not a ZIP of stored files", "EncodingError");
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + (nameBytes ?? 0)));
    const size = view.getUint32(at + 24, true);
    const local = view.getUint32(at + 42, true);
    const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    at += 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (noteBytes ?? 0);
    return { name, content: archive.subarray(start, start + size) };
  });
}
