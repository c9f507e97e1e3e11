// The page over a real `thingprint watch`, which reads captures of a simulated home as they come.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { startBroker } from "./broker.mjs";
import { contrast, structure } from "./checks.mjs";
import { CAMERA, STRANGER, STRANGER_NAME, build, rows, run } from "./home.mjs";
import { launch } from "./server.mjs";
import { assertSamePage, mark, openTab, text } from "./tab.mjs";
import { until, watch } from "./watch.mjs";

const LABELS = { [STRANGER]: "weather station", [CAMERA]: "porch camera" };
const GATEWAY = "a8:40:7c:00:10:01";
// A folder for pictures of the views; without it none are taken.
const PICTURES = process.env.THINGPRINT_PICTURES;

test("people follow a network: a new device, labels, a model from them, a restart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "thingprint-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const home = build(folder);
  const broker = await startBroker();
  if (broker) t.after(() => broker.stop());
  else t.diagnostic("skipped: nothing is sent by MQTT, since mosquitto is not installed (apt-get install mosquitto)");
  const browser = await launch();
  t.after(() => browser.close());
  // Started once more, the watch gets the same words.
  const words = ["--store", "home.db", "--model", "home.model", "--labels", "labels.csv", ...(broker ? ["--notify", broker.address] : [])];

  await during(t, browser, folder, words, async (page, live) => {
    await homeAppears(page, live, home);
    await strangerAppears(page, live, home);
    await eventIsAcknowledged(page, live);
    if (broker) await homeAssistantFindsIt(broker);
    await devicesAreLabelled(page, live);
    await numbersAreThoseOfTheCommands(page, live, home);
    await modelIsTrained(page, live, home);
    if (PICTURES) await takePictures(browser, page, live);
  });
  await during(t, browser, folder, words, async (page, live) => {
    if (broker) await homeAssistantHearsTheLabel(broker);
    await trainedModelJudges(page, live, home);
    await labelsAreThere(page, live);
    await checkViews(page, live);
  });
  windowsAreThoseOfExtract(folder);
});

// Runs a part of the story in a tab that was let in by the address that a watch printed, and ends the watch.
const during = async (t, browser, folder, words, story) => {
  const live = await watch(folder, words);
  t.after(() => live.kill());
  const { page, problems, close } = await openTab(browser, live.url);
  await page.goto(live.url);
  assert.equal(page.url(), live.address("/"), "the token leaves the address");
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await story(page, live);
  assert.deepEqual(problems, []);
  await close();
  assert.equal(await live.stop(), 0, live.said());
};

const rowOf = (page, device) => page.locator("tbody tr", { hasText: device });

const homeAppears = async (page, live, home) => {
  await page.getByRole("heading", { name: "No device yet" }).waitFor();
  await mark(page);
  await live.feed(home.parts[0]);
  // The gateway is there, and the stranger is not.
  await page.locator("caption", { hasText: `${home.things} devices` }).waitFor();
  await rowOf(page, CAMERA).getByText("osprel-camera").waitFor();
  assert.match(await rowOf(page, GATEWAY).innerText(), /gateway[^]*not judged/);
  await assertSamePage(page);
};

const strangerAppears = async (page, live, home) => {
  assert.equal(await rowOf(page, STRANGER).count(), 0);
  const announced = page.evaluate(
    () =>
      new Promise((resolve) => {
        const place = document.getElementById("announce");
        const look = () => place.textContent.includes("New device") && resolve(place.textContent);
        new MutationObserver(look).observe(place, { childList: true });
      }),
  );
  await live.feed(home.parts[1]);
  const row = rowOf(page, STRANGER);
  await row.getByText("unknown", { exact: true }).waitFor();
  assert.match(await row.innerText(), /new/);
  assert.match(await announced, new RegExp(`New device ${STRANGER}`));
  await assertSamePage(page);
};

const eventIsAcknowledged = async (page, live) => {
  await rowOf(page, STRANGER).getByRole("link").first().click();
  await page.waitForURL(live.address(`/devices/${STRANGER}`));
  await page.locator("#verdict").getByText("unknown", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Changes", exact: true }).click();
  await mark(page);
  const row = page.locator("tr", { hasText: `New device ${STRANGER}` });
  await row.getByRole("button", { name: "Acknowledge" }).click();
  await row.getByText("acknowledged").waitFor();
  await assertSamePage(page);
  assert.equal((await live.ask(`devices/${STRANGER}`)).is_new, false);
};

const devicesAreLabelled = async (page, live) => {
  for (const [device, label] of Object.entries(LABELS)) {
    await page.goto(live.address(`/devices/${device}`));
    await page.getByLabel("What this device is").fill(label);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: label }).waitFor();
  }
};

// The page, the store and the files of what was played say the same of each device.
const numbersAreThoseOfTheCommands = async (page, live, home) => {
  const instances = rows(run(home.folder, "extract -q played.pcap --format jsonl"));
  const sum = (device, name) => instances.filter((one) => one.device === device).reduce((all, one) => all + one[name], 0);
  let behind = [];
  const stored = await until(
    () => `the store has all packets that were played; behind are ${behind.join(", ")}\n${live.said()}`,
    () => {
      const devices = rows(run(home.folder, "store home.db devices --format jsonl"));
      const things = devices.filter((one) => one.gateway === null);
      const counts = things.map(({ device, packets_up }) => ({ device, stored: packets_up, played: sum(device, "packets_up") }));
      behind = counts.filter(({ stored, played }) => stored !== played).map((one) => `${one.device} (${one.stored} of ${one.played})`);
      return behind.length === 0 && devices;
    },
  );
  assert.equal(stored.length, home.things + 1);
  await page.goto(live.address("/"));
  for (const one of stored) await rowIsAs(page, one);
  for (const one of stored.filter(({ gateway }) => gateway === null)) {
    await page.goto(live.address(`/devices/${one.device}`));
    const [up, down] = ["packets_up", "packets_down"].map((name) => sum(one.device, name));
    assert.ok(plain(await text(page, "#head")).includes(`${up} sent, ${down} received`), one.device);
    const { windows } = await live.ask(`devices/${one.device}/windows`);
    assert.equal(windows.length, one.windows);
    const counted = (of) => of.map((window) => [window.window_start, window.packets_up, window.packets_down, window.bytes_up, window.bytes_down]);
    const expected = instances.filter((instance) => instance.device === one.device).slice(0, windows.length);
    assert.deepEqual(counted(windows.reverse()), counted(expected), one.device);
  }
};

// Numbers without the spaces that part their thousands.
const plain = (shown) => shown.replace(/\u202f/g, "");

// A row of the page says what the store has.
const rowIsAs = async (page, one) => {
  const findings = ["error", "warning", "note"].filter((kind) => one[`${kind}s`] > 0).map((kind) => new RegExp(`\\b${one[`${kind}s`]} ${kind}`));
  const answer = one.gateway ? [/gateway/, /not judged/] : [one.class ?? /unknown/, `${Math.round(one.confidence * 100)} %`];
  const expected = [...answer, ...findings, one.open_events > 0 ? new RegExp(`\\b${one.open_events}\\s+open events`) : "–"];
  let [shown, missing] = ["", expected];
  await until(
    () => `${missing.join(", ")} in the row of ${one.device}: ${shown}`,
    async () => {
      shown = plain(await rowOf(page, one.device).innerText());
      missing = expected.filter((word) => (word instanceof RegExp ? !word.test(shown) : !shown.includes(word)));
      return missing.length === 0;
    },
  );
};

// Home Assistant is shown the stranger by its link address, and hears that it is new.
const homeAssistantFindsIt = async (broker) => {
  const found = await until("the stranger is announced to Home Assistant", () => announced(broker).find(({ device }) => isStranger(device)));
  assert.equal(found.device.name, STRANGER_NAME);
  assert.equal(found.availability_topic, "thingprint/status");
  const events = heard(broker, /^thingprint\/events$/).map((payload) => JSON.parse(payload));
  const event = events.find((one) => one.kind === "new-device" && one.device === STRANGER);
  assert.equal(event?.event_type, "new-device");
  assert.equal(heard(broker, /^thingprint\/status$/)[0], "online");
};

// After a restart, devices are shown at once.
const homeAssistantHearsTheLabel = async (broker) => {
  const named = ({ device }) => isStranger(device) && device.name === LABELS[STRANGER];
  await until("the label is announced to Home Assistant", () => announced(broker).some(named));
  assert.ok(heard(broker, /^thingprint\/status$/).includes("offline"), "the end of the first watch is heard");
};

const isStranger = (device) => JSON.stringify(device.connections) === JSON.stringify([["mac", STRANGER]]);

const heard = (broker, topic) => broker.messages.filter((message) => topic.test(message.topic)).map(({ payload }) => payload);

const announced = (broker) =>
  heard(broker, /^homeassistant\/device\/.*\/config$/)
    .filter(Boolean)
    .map((payload) => JSON.parse(payload));

const modelIsTrained = async (page, live, home) => {
  await page.goto(live.address("/model"));
  assert.match(await text(page, "#model"), /home\.model/);
  await mark(page);
  await page.getByRole("button", { name: `Train from ${home.things} labelled devices` }).click();
  await page.getByRole("heading", { name: "A new model waits for your decision" }).waitFor();
  const { training } = await live.ask("training");
  // The present model does not know what people call two devices.
  const better = ((training.trained.accuracy - training.trained.present_accuracy) * 100).toFixed(1);
  assert.ok(training.trained.accuracy > 0.9 && better > 10, JSON.stringify(training));
  assert.match(await text(page, "#training"), new RegExp(`better by ${better} percentage points`));
  if (PICTURES) await page.screenshot({ path: join(PICTURES, "comparison.png"), fullPage: true });
  await page.getByRole("button", { name: "Switch to the new model" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch", exact: true }).click();
  await page.locator("#model", { hasText: "trained on the page" }).waitFor();
  await assertSamePage(page);
  await page.goto(live.address("/changes?since=all"));
  await page.locator("tr", { hasText: "other model" }).waitFor();
};

const trainedModelJudges = async (page, live, home) => {
  await page.goto(live.address("/model"));
  assert.match(await text(page, "#model"), /trained on the page/);
  await page.goto(live.address("/"));
  await mark(page);
  await live.feed(home.parts[2]);
  for (const [device, label] of Object.entries(LABELS)) {
    await rowOf(page, device).locator("td[data-label=Class]", { hasText: label }).waitFor();
  }
  await assertSamePage(page);
};

const labelsAreThere = async (page, live) => {
  await page.goto(live.address("/model"));
  for (const [device, label] of Object.entries(LABELS)) {
    const row = page.locator("#labels tr", { hasText: device });
    assert.equal(await row.locator("td[data-label=Label]").innerText(), label);
    assert.equal(await row.locator("td[data-label='Class given']").innerText(), label);
  }
};

// What was judged live is stored as it is extracted from files.
const windowsAreThoseOfExtract = (folder) => {
  const kept = ["device", "window_start", "packets_up", "packets_down", "bytes_up", "bytes_down", "flows", "ports", "domains"];
  const counted = (words) =>
    rows(run(folder, words)).map((row) => kept.map((name) => row[name])).sort((a, b) => `${a[1]} ${a[0]}`.localeCompare(`${b[1]} ${b[0]}`));
  const expected = ["played.pcap", "after.pcap"].flatMap((name) => counted(`extract -q ${name} --format jsonl`));
  assert.deepEqual(counted("store home.db export --with-cut --format jsonl"), expected);
};

const views = (live) => ["/", `/devices/${STRANGER}`, `/devices/${CAMERA}`, `/devices/${GATEWAY}`, "/changes?since=all", "/findings", "/health", "/model"].map(live.address);

const checkViews = async (page, live) => {
  for (const view of views(live)) {
    await page.goto(view);
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    assert.deepEqual(await structure(page), [], view);
    assert.deepEqual(await contrast(page), [], view);
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const room = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(room <= 0, `${view} is ${room} pixels too wide at ${width} pixels`);
    }
  }
};

const takePictures = async (browser, page, live) => {
  mkdirSync(PICTURES, { recursive: true });
  const state = await page.context().storageState();
  for (const [name, colorScheme, width] of [["light", "light", 1280], ["dark", "dark", 1280], ["narrow", "light", 390]]) {
    const tab = await openTab(browser, live.url, { colorScheme, viewport: { width, height: 900 }, storageState: state });
    for (const view of views(live)) {
      await tab.page.goto(view);
      const place = new URL(view).pathname.replaceAll(/[/:]/g, "-").slice(1) || "devices";
      await tab.page.screenshot({ path: join(PICTURES, `${place}-${name}.png`), fullPage: true });
    }
    await tab.close();
  }
};
