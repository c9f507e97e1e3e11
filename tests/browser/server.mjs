// Starts the page over a network that is made up, and a browser that looks at it.
//
//   THINGPRINT_FAKE     the program `fake`: cargo build --release -p thingprint-web --example fake
//   THINGPRINT_BROWSER  a folder in which `npm ci` of this folder's package.json was run; by default this folder
//   CHROMIUM            the browser; by default chromium of the path

import { spawn, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const modules = createRequire(join(process.env.THINGPRINT_BROWSER ?? here, "package.json"));
const { chromium } = modules("playwright-core");

const program = process.env.THINGPRINT_FAKE ?? join(here, "../../target/release/examples/fake");
const browserPath = process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();

export const launch = () => chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });

// A page of its own for a test. `appear` has a device of that name appear.
export const serve = async (devices = 12, token) => {
  const child = spawn(program, ["0", String(devices), ...(token ? [token] : [])], { stdio: ["pipe", "pipe", "inherit"] });
  const url = await new Promise((resolve, reject) => {
    child.stdout.once("data", (text) => resolve(String(text).trim()));
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  return {
    url,
    address: (path) => new URL(path, url).href,
    appear: (name) => child.stdin.write(`${name}\n`),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once("exit", resolve);
        child.stdin.end();
      }),
  };
};
