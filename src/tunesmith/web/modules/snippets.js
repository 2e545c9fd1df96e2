/** A take's request as a program: a shell line, Python and JavaScript that make the same music. */

/**
 * @typedef {"Shell" | "Python" | "JavaScript"} Language
 *
 * @typedef {object} Program
 * @property {string} server its address
 * @property {boolean} needsToken
 * @property {string} file the name of the file that is written, without its ending
 */

/** @type {Language[]} */
export const LANGUAGES = ["Shell", "Python", "JavaScript"];

/**
 * @param {Language} language
 * @param {Record<string, unknown>} request its fields, the prompt included
 * @param {Program} program
 */
export function snippet(language, request, program) {
  const { prompt, ...others } = request;
  const given = Object.entries(others).filter(([, value]) => value !== undefined && value !== null);
  const fields = Object.fromEntries(given.filter(([, value]) => !Array.isArray(value) || value.length));
  return { Shell: inShell, Python: inPython, JavaScript: inJavaScript }[language](String(prompt ?? ""), fields, program);
}

/**
 * @param {string} prompt
 * @param {Record<string, unknown>} fields
 * @param {Program} program
 */
function inShell(prompt, fields, { server, needsToken, file }) {
  const token = needsToken ? '-H "Authorization: Bearer $TUNESMITH_TOKEN" \\\n  ' : "";
  // A quote cannot stand within single quotes: they end, it stands escaped, and they begin anew.
  const body = JSON.stringify({ prompt, ...fields }).replaceAll("'", "'\\''");
  return `curl -sS --fail-with-body ${server}/api/generate \\\n  ${token}-o ${file}.wav \\\n  -d '${body}'`;
}

/**
 * @param {string} prompt
 * @param {Record<string, unknown>} fields
 * @param {Program} program
 */
function inPython(prompt, fields, { server, file }) {
  const given = Object.entries(fields).map(([name, value]) => `${name}=${pythonOf(value)}`);
  const text = [JSON.stringify(prompt), ...given].map((one) => `        ${one},\n`).join("");
  return (
    `from tunesmith import Tunesmith\n\nwith Tunesmith("${server}") as server:\n` +
    `    clip = server.generate(\n${text}    )\n    clip.save("${file}.wav")`
  );
}

/** @param {unknown} value @returns {string} */
function pythonOf(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const pairs = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${pythonOf(one)}`);
  return `{${pairs.join(", ")}}`;
}

/**
 * @param {string} prompt
 * @param {Record<string, unknown>} fields
 * @param {Program} program
 */
function inJavaScript(prompt, fields, { server, file }) {
  const given = Object.entries(fields).map(([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`);
  return (
    `import { writeFile } from "node:fs/promises";\nimport { Tunesmith } from "tunesmith";\n\n` +
    `const server = new Tunesmith({ baseUrl: "${server}" });\n` +
    `const clip = await server.generate(${JSON.stringify(prompt)}, {\n${given.join("")}});\n` +
    `await writeFile("${file}.wav", clip.content);`
  );
}
