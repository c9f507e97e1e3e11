// A tab of a browser that notices what must not happen.

import assert from "node:assert/strict";

export const text = (page, selector) => page.locator(selector).innerText();

// A mark goes away when a page is loaded anew.
export const mark = (page) => page.evaluate(() => (window.wasLoaded = "once"));
export const assertSamePage = async (page) => assert.equal(await page.evaluate(() => window.wasLoaded), "once", "the page was loaded anew");

// Opens a tab. Its `problems` are errors on the console and requests to elsewhere than `url`. A browser reports refused requests
// by itself: `refused` is the status that is expected, or `nothing` where the server goes away.
export const openTab = async (browser, url, { refused, ...options } = {}) => {
  const tab = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await tab.newPage();
  const problems = [];
  const isExpected = (message) =>
    refused !== undefined && (message.includes(`status of ${refused}`) || (refused === "nothing" && /ERR_/.test(message)));
  page.on("console", (message) => message.type() === "error" && !isExpected(message.text()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => request.url().startsWith(new URL("/", url).href) || problems.push(request.url()));
  return { page, problems, close: () => tab.close() };
};
