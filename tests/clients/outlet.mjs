// Starts stand-ins and an outlet in front of them, for tests in Node. Nothing leaves this machine.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const binary = process.env.MAINS_BINARY;

/** Packages are installed into a folder of their own, not beside this file. */
export const requireFrom = createRequire(join(process.env.NODE_FOLDER, "node_modules", "x.js"));

function start(args) {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, MAINS_LOG: "warn", NO_COLOR: "1" } });
  child.ended = new Promise((resolve) => child.on("exit", resolve));
  return child;
}

function address(stream) {
  return new Promise((resolve, reject) => {
    const said = [];
    const lines = createInterface({ input: stream });
    lines.on("line", (line) => {
      said.push(line);
      const found = line.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    });
    lines.on("close", () => reject(new Error("no address was said: " + said.join("\n"))));
  });
}

export async function outlet() {
  const folder = mkdtempSync(join(tmpdir(), "mains-node-"));
  const openai = start(["stand-in", "--provider", "openai", "--listen", "127.0.0.1:0", "--as-of", "2026-11-24"]);
  const upstream = await address(openai.stdout);
  const config = join(folder, "mains.toml");
  writeFileSync(config, `
[serve]
listen = "127.0.0.1:0"
data = "${folder}/data"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "${upstream}/v1"
[[route]]
model = "gpt-4o-mini"
targets = ["openai/gpt-4o-mini"]
[[route]]
model = "gpt-3.5-turbo"
targets = ["openai/gpt-3.5-turbo", "openai/gpt-4o-mini"]
[[budget]]
scope = "organisation"
per = "month"
usd = 200
kwh = 40
grade = "E"
`);
  const serve = start(["serve", "--config", config]);
  serve.stdout.resume();
  const url = await address(serve.stderr);
  return {
    url,
    folder,
    async close() {
      for (const child of [serve, openai]) {
        child.kill("SIGTERM");
        await child.ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs named tests in turn and prints what the test command counts. */
export async function run(tests, context) {
  let passed = 0;
  let failed = 0;
  for (const [name, test] of tests) {
    try {
      await test(context);
      passed += 1;
      console.log(`test ${name} ... ok`);
    } catch (error) {
      failed += 1;
      console.log(`test ${name} ... FAILED\n${error.stack}`);
    }
  }
  console.log(`test result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed`);
  return failed === 0;
}
