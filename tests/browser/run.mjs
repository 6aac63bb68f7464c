// The page in a real browser: what it shows, light and dark, without third parties, by keyboard, and an accessibility
// check. With SCREENSHOTS=FOLDER the pictures are kept.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { outlet, requireFrom, run } from "../clients/outlet.mjs";

const { chromium } = requireFrom("playwright-core");
const axe = readFileSync(join(process.env.NODE_FOLDER, "node_modules", "axe-core", "axe.min.js"), "utf8");

async function ask(url, model) {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "hello" }], max_tokens: 16 });
  const reply = await fetch(url + "/v1/chat/completions", { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(reply.status, 200);
  return reply.headers.get("x-request-id");
}

async function page(context, scheme, path = "/") {
  const page = await context.browser.newPage({ colorScheme: scheme, viewport: { width: 1240, height: 1100 } });
  const foreign = [];
  page.on("request", (request) => { if (!request.url().startsWith(context.url) && !request.url().startsWith("data:")) foreign.push(request.url()); });
  const errors = [];
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  await page.goto(context.url + path, { waitUntil: "load" });
  return { page, foreign, errors };
}

async function shoot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, name + ".png"), fullPage: true });
}

/** axe-core runs outside the page's content policy, as a browser extension would. */
async function accessible(page) {
  const client = await page.context().newCDPSession(page);
  await client.send("Page.setBypassCSP", { enabled: true });
  await page.reload({ waitUntil: "load" });
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
  const problems = found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target).join(" ")}`);
  assert.deepEqual(problems, []);
}

const tests = ["light", "dark"].flatMap((scheme) => [
  [`the board, ${scheme}`, async (context) => {
    const { page: board, foreign, errors } = await page(context, scheme);
    const text = await board.textContent("main");
    for (const word of ["Money", "Energy", "Carbon", "Water", "gpt-3.5-turbo", "openai/gpt-4o-mini", "retired 2026-10-23"]) {
      assert.ok(text.includes(word), `the board does not show ${word}`);
    }
    assert.match(await board.textContent("h1"), /All circuits on|circuits open/);
    await shoot(board, `board-${scheme}`);
    assert.deepEqual(foreign, []);
    assert.deepEqual(errors, []);
    await accessible(board);
    await board.close();
  }],
]).concat([
  ["a request links to its record and proof", async (context) => {
    const id = await ask(context.url, "gpt-4o-mini");
    const { page: board } = await page(context, "light");
    await board.waitForSelector(`a[href="/requests/${id}"]`);
    await board.click(`a[href="/requests/${id}"]`);
    await board.waitForSelector("h1 code");
    // The checkpoint that covers the leaf is signed within a second.
    for (let round = 0; round < 50 && !(await board.textContent("main")).includes("c2sp.org/tlog-proof"); round += 1) {
      await board.reload({ waitUntil: "load" });
      await board.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    const text = await board.textContent("main");
    assert.ok(text.includes("outcome") && text.includes("c2sp.org/tlog-proof"), text);
    assert.ok(!text.includes("hello"), "content is never shown");
    await shoot(board, "request");
    await accessible(board);
    await board.close();
  }],
  ["the board is live", async (context) => {
    const { page: board } = await page(context, "light");
    const id = await ask(context.url, "gpt-4o-mini");
    await board.waitForSelector(`#live a[href="/requests/${id}"]`, { timeout: 15000 });
    await board.close();
  }],
  ["the theme can be switched and the skip link works", async (context) => {
    const { page: board } = await page(context, "light");
    const before = await board.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await board.click("button.theme");
    assert.notEqual(await board.evaluate(() => getComputedStyle(document.body).backgroundColor), before);
    await board.reload();
    await board.keyboard.press("Tab");
    assert.equal(await board.evaluate(() => document.activeElement.className), "skip");
    await board.close();
  }],
]);

const running = await outlet();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let ok = false;
try {
  for (const model of ["gpt-4o-mini", "gpt-3.5-turbo", "gpt-4o-mini"]) await ask(running.url, model);
  ok = await run(tests, { browser, url: running.url });
} finally {
  await browser.close();
  await running.close();
}
process.exit(ok ? 0 : 1);
