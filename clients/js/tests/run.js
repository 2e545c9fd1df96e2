// Runs the tests beside really started servers: those that TUNESMITH_TEST_SERVERS tells of, or some that this program
// starts, with PYTHON or the project's own virtual environment.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const own = join(root, ".venv", "bin", "python");

/** Start servers and return what they tell, with a function that ends them. */
async function started() {
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
  const end = () => {
    servers.stdin.end();
    return gone;
  };
  return { told, end };
}

const given = process.env.TUNESMITH_TEST_SERVERS;
const { told, end } = given ? { told: given, end: async () => {} } : await started();
const tests = spawn(process.execPath, ["--test", ...process.argv.slice(2)], {
  cwd: join(here, ".."),
  env: { ...process.env, TUNESMITH_TEST_SERVERS: told },
  stdio: "inherit",
});
process.exitCode = await new Promise((resolve) => tests.once("exit", (code) => resolve(code ?? 1)));
await end();
