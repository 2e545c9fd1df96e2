// Runs the tests beside really started servers, with PYTHON (or the project's own virtual environment) to start them.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const own = join(root, ".venv", "bin", "python");
const python = process.env.PYTHON || (existsSync(own) ? own : "python3");

const servers = spawn(python, [join(root, "tests", "support", "servers_for_others.py")], {
  stdio: ["pipe", "pipe", "inherit"],
});
const gone = new Promise((resolve) => servers.once("exit", resolve));
const [told] = await Promise.race([
  createInterface({ input: servers.stdout })[Symbol.asyncIterator]().next().then(({ value }) => [value]),
  gone.then(() => []),
]);
if (!told) throw new Error(`${python} did not start the servers`);

const tests = spawn(process.execPath, ["--test", ...process.argv.slice(2)], {
  cwd: join(here, ".."),
  env: { ...process.env, TUNESMITH_TEST_SERVERS: told },
  stdio: "inherit",
});
process.exitCode = await new Promise((resolve) => tests.once("exit", (code) => resolve(code ?? 1)));
servers.stdin.end();
await gone;
