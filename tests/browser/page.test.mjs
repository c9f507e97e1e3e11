// What people do on the page, in a browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { contrast, focusShows, structure } from "./checks.mjs";
import { launch, serve } from "./server.mjs";
import { assertSamePage, mark, openTab, text } from "./tab.mjs";

const VIEWS = ["/", "/?q=nobody", "/devices/a8:40:00:00:00:02", "/devices/a8:40:00:00:00:03", "/changes?since=7d", "/findings", "/health", "/model"];
const CAMERA = "a8:40:00:00:00:03";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

// Runs a test with a server and a tab of its own. An error on the console or a request to elsewhere fails it.
const withPage = async (options, run) => {
  const { devices, token, ...context } = options;
  const server = await serve(devices, token);
  const { page, problems, close } = await openTab(browser, server.url, context);
  try {
    await run(page, server);
    assert.deepEqual(problems, []);
  } finally {
    await close();
    await server.stop();
  }
};

test("a new device appears without loading the page", () =>
  withPage({}, async (page, server) => {
    await page.goto(server.address("/"));
    await mark(page);
    await page.waitForTimeout(300);
    server.appear("kettle <img src=x onerror=alert(1)>");
    const row = page.locator("tbody tr", { hasText: "kettle" });
    await row.waitFor();
    assert.match(await row.innerText(), /kettle <img src=x onerror=alert\(1\)>/);
    assert.match(await row.innerText(), /new/);
    assert.match(await row.getAttribute("class"), /fresh/);
    assert.match(await text(page, "#counts"), /13\s*all/);
    assert.match(await page.locator("#announce").textContent(), /New device kettle/);
    assert.equal(await page.locator("main img").count(), 0);
    await assertSamePage(page);
  }));

test("a view says when its program is gone", () =>
  withPage({ refused: "nothing" }, async (page, server) => {
    await page.goto(server.address("/"));
    await mark(page);
    await page.waitForTimeout(300);
    assert.equal(await page.getByText("There are no live updates").count(), 0);
    await server.stop();
    await page.getByRole("alert").filter({ hasText: "There are no live updates" }).waitFor();
    await assertSamePage(page);
  }));

test("devices are filtered by typing and sorted by keyboard", () =>
  withPage({ devices: 300 }, async (page, server) => {
    await page.goto(server.address("/"));
    await mark(page);
    await page.getByLabel("Find").fill("osprel");
    await page.waitForURL(/q=osprel/);
    await page.locator("caption", { hasText: /^3\d devices/ }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "q", "the focus stays in the field");
    await page.getByLabel("Show").selectOption("unknown");
    await page.locator("caption", { hasText: /^[1-9] devices?/ }).waitFor();
    await page.getByLabel("Find").fill("");
    await page.getByLabel("Show").selectOption("all");
    await page.locator("caption", { hasText: /^300 devices.*page 1 of 2/ }).waitFor();
    const head = page.getByRole("columnheader", { name: "Confidence" });
    const sort = page.getByRole("link", { name: "Confidence" });
    await sort.focus();
    await page.keyboard.press("Enter");
    await page.locator("th[aria-sort=descending]").waitFor();
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Confidence", "the focus stays on the head");
    await page.keyboard.press("Enter");
    await page.locator("th[aria-sort=ascending]").waitFor();
    await page.getByRole("link", { name: "Next" }).click();
    await page.locator("caption", { hasText: "page 2 of 2" }).waitFor();
    assert.equal(await page.locator("tbody tr").count(), 100);
    await assertSamePage(page);
    await page.reload();
    assert.match(await text(page, "caption"), /page 2 of 2/, "the address holds filter and order");
  }));

test("a label is given, and a device muted", () =>
  withPage({ refused: 400 }, async (page, server) => {
    await page.goto(server.address(`/devices/${CAMERA}`));
    await mark(page);
    await page.getByLabel("What this device is").fill("porch camera");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "porch camera" }).waitFor();
    await page.getByText("Saved.").waitFor();
    const mute = page.getByRole("button", { name: "Mute" });
    await mute.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Unmute" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Unmute", "the focus stays on the button");
    await page.evaluate(() => document.getElementById("label").removeAttribute("maxlength"));
    await page.getByLabel("What this device is").fill("x".repeat(201));
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "at most 200 characters" }).waitFor();
    await assertSamePage(page);
  }));

test("events and findings are acknowledged", () =>
  withPage({}, async (page, server) => {
    await page.goto(server.address("/changes?since=7d"));
    await mark(page);
    const row = page.locator("tr", { hasText: "New device tarnbrook-motion" });
    await row.getByRole("button", { name: "Acknowledge" }).click();
    await row.getByText("acknowledged").waitFor();
    await page.getByRole("button", { name: /Acknowledge these 4 events: New names/ }).click();
    await page.waitForFunction(() => document.querySelectorAll("#sections td .absent").length >= 5);
    await assertSamePage(page);
    await page.goto(server.address("/findings"));
    await mark(page);
    await page.getByRole("button", { name: `Acknowledge TLS-001 of ${CAMERA}` }).click();
    await page.locator("caption", { hasText: "2 findings" }).waitFor();
    assert.match(await text(page, "#counts"), /0\s*open errors/);
    await assertSamePage(page);
  }));

test("a model is trained, compared and switched to", () =>
  withPage({}, async (page, server) => {
    await page.goto(server.address("/model"));
    await mark(page);
    await page.getByRole("button", { name: "Train from 4 labelled devices" }).click();
    await page.getByRole("heading", { name: "A model is being trained" }).waitFor();
    await page.getByRole("heading", { name: "A new model waits for your decision" }).waitFor();
    assert.match(await text(page, "#training"), /better by 3.5 percentage points/);
    const open = page.getByRole("button", { name: "Switch to the new model" });
    const dialog = page.getByRole("dialog", { name: "Switch to the new model?" });
    await open.click();
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await open.focus();
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.match(await text(page, "#training"), /waits for your decision/);
    await open.click();
    await dialog.getByRole("button", { name: "Switch", exact: true }).click();
    await page.getByRole("button", { name: "Train from 4 labelled devices" }).waitFor();
    await page.locator(".lead", { hasText: "trained here from labels" }).waitFor();
    await assertSamePage(page);
  }));

test("everything works without scripts", () =>
  withPage({ javaScriptEnabled: false }, async (page, server) => {
    await page.goto(server.address("/"));
    await page.getByLabel("Find").fill("osprel");
    await page.getByRole("button", { name: "Apply" }).click();
    assert.match(await text(page, "caption"), /^1 device/);
    await page.getByRole("link", { name: "osprel-camera" }).click();
    await page.getByLabel("What this device is").fill("porch camera");
    await page.getByRole("button", { name: "Save label" }).click();
    assert.match(await text(page, "h1"), /porch camera/);
    await page.getByRole("button", { name: /Acknowledge event/ }).first().click();
    assert.match(await text(page, "#events"), /acknowledged/);
    await page.getByRole("link", { name: "Model", exact: true }).first().click();
    await page.getByRole("button", { name: /Train from 5/ }).click();
    for (let tries = 0; tries < 40 && !(await page.getByRole("button", { name: "Switch to" }).count()); tries++) {
      await page.waitForTimeout(100);
      await page.reload();
    }
    await page.getByRole("button", { name: "Switch to the new model" }).click();
    assert.match(await text(page, ".lead"), /trained here from labels/);
  }));

test("the form for the token lets people in", () =>
  withPage({ token: "0123456789abcdef0123", refused: 401 }, async (page, server) => {
    await page.goto(server.address("/findings"));
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background, "rgb(246, 248, 250)", "the policy lets the form's own style in");
    assert.deepEqual(await contrast(page), []);
    await page.getByLabel("Token").fill("0123456789abcdef0123");
    await page.getByRole("button", { name: "Show the page" }).click();
    await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
    await page.context().clearCookies();
    await page.goto(server.url);
    assert.equal(page.url(), server.address("/"), "the token leaves the address");
    await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  }));

for (const colorScheme of ["light", "dark"]) {
  test(`controls have names and text has contrast (${colorScheme})`, () =>
    withPage({ colorScheme }, async (page, server) => {
      for (const view of VIEWS) {
        await page.goto(server.address(view));
        await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
        assert.deepEqual(await structure(page), [], view);
        assert.deepEqual(await contrast(page), [], view);
        assert.deepEqual(await focusShows(page), [], view);
      }
    }));
}

test("the keyboard reaches the content at once", () =>
  withPage({}, async (page, server) => {
    await page.goto(server.address("/"));
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    assert.ok((await page.locator(".skip").boundingBox()).y >= 0, "the link is seen");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  }));

for (const width of [320, 390]) {
  test(`no view scrolls to the side at ${width} pixels`, () =>
    withPage({ viewport: { width, height: 800 } }, async (page, server) => {
      const name = "x".repeat(255);
      await page.goto(server.address("/"));
      await page.waitForTimeout(300);
      server.appear(name);
      await page.locator("tbody tr", { hasText: name }).waitFor();
      const device = await page.locator("tbody tr", { hasText: name }).getByRole("link").first().getAttribute("href");
      for (const view of [...VIEWS, device]) {
        await page.goto(server.address(view));
        await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
        const room = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(room <= 0, `${view} is ${room} pixels too wide`);
      }
    }));
}

test("ten thousand devices stay usable", () =>
  withPage({ devices: 10_000 }, async (page, server) => {
    await page.goto(server.address("/"));
    const begin = Date.now();
    await page.getByLabel("Find").fill("weather-9999");
    await page.locator("main .empty, caption", { hasText: /^(0|1) devices?/ }).first().waitFor();
    assert.ok(Date.now() - begin < 8_000, `the search took ${Date.now() - begin} ms`);
  }));
