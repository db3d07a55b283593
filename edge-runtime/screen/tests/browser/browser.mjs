// A browser that does what standard input says, one JSON object a line, and answers each with one: Debian's Chromium over the
// DevTools protocol, without a driver between.
//
//   node browser.mjs PACKAGES              PACKAGES holds node_modules with ws and axe-core
//   node browser.mjs PACKAGES COMMAND...   the page that a Chromium shows which this command starts
//
//   {"size": [width, height]}        of the window, in CSS pixels; below 500 wide it is a phone
//   {"before": script}               is run in each page from now on, before the page's own
//   {"still": true}                  the user wishes for no motion (prefers-reduced-motion)
//   {"open": url}                    loads a page and waits until it is loaded
//   {"ask": expression}              gives the value of a script's expression
//   {"axe": true}                    gives the rules of axe-core that the page breaks
//   {"shot": file}                   writes a PNG of what is seen
//   {"errors": true}                 gives what the console, the policy and the network complained of since last asked

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const packages = createRequire(join(process.argv[2], "package.json"));
const WebSocket = packages("ws");
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");

const own = process.argv.slice(3);
const profile = mkdtempSync(join(tmpdir(), "screen-browser-"));
const headless = [
  "chromium", "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run", "--no-sandbox",
  "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars", "--force-color-profile=srgb",
  "about:blank",
];
const [program, ...words] = own.length ? own : headless;
const chromium = spawn(program, words);
const endpoint = await new Promise((resolve, reject) => {
  createInterface({ input: chromium.stderr }).on("line", (line) => {
    const found = line.match(/DevTools listening on (ws:\S+)/);
    if (found) resolve(found[1]);
  });
  chromium.on("exit", (code) => reject(new Error(`chromium ended: ${code}`)));
});

const socket = new WebSocket(endpoint);
await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
const waiting = new Map();
const listeners = [];
let number = 0;
socket.on("message", (data) => {
  const message = JSON.parse(data);
  const waits = waiting.get(message.id);
  waiting.delete(message.id);
  if (waits) message.error ? waits.reject(new Error(JSON.stringify(message.error))) : waits.resolve(message.result);
  else listeners.forEach((listener) => listener(message.method, message.params));
});
const send = (method, params = {}, sessionId) =>
  new Promise((resolve, reject) => {
    number += 1;
    waiting.set(number, { resolve, reject });
    socket.send(JSON.stringify({ id: number, method, params, sessionId }));
  });

const shown = async () => {
  const { targetInfos } = await send("Target.getTargets");
  return targetInfos.find(({ type, url }) => type === "page" && url.startsWith("http")) ?? shown();
};
const { targetId } = await (own.length ? shown() : send("Target.createTarget", { url: "about:blank" }));
const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
const page = (method, params) => send(method, params, sessionId);
let errors = [];
listeners.push((method, params) => {
  if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type))
    errors.push(params.args.map((argument) => argument.value ?? argument.description).join(" "));
  if (method === "Runtime.exceptionThrown") errors.push(params.exceptionDetails.text);
  if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level))
    errors.push(`${params.entry.text} ${params.entry.url ?? ""}`);
});
for (const domain of ["Page", "Runtime", "Log", "Network"]) await page(`${domain}.enable`);

const evaluate = async (expression) => {
  const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value ?? null;
};
const does = {
  size: ([width, height]) =>
    page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 }),
  still: () => page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-reduced-motion", value: "reduce" }] }),
  before: (source) => page("Page.addScriptToEvaluateOnNewDocument", { source }),
  open: async (url) => {
    const loaded = new Promise((resolve) => {
      const listener = (method) => {
        if (method !== "Page.loadEventFired") return;
        listeners.splice(listeners.indexOf(listener), 1);
        resolve();
      };
      listeners.push(listener);
    });
    const { errorText } = await page("Page.navigate", { url });
    if (errorText) throw new Error(errorText);
    await loaded;
  },
  ask: evaluate,
  axe: async () => {
    await evaluate(`${axe}; 0`);
    const found = await evaluate("axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)");
    return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" | ")}`);
  },
  shot: async (file) => writeFileSync(file, Buffer.from((await page("Page.captureScreenshot")).data, "base64")),
  errors: async () => errors.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [[what, how]] = Object.entries(JSON.parse(line));
  try {
    console.log(JSON.stringify({ value: (await does[what](how)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error.message ?? error) }));
  }
}
chromium.removeAllListeners("exit");
chromium.kill();
chromium.on("exit", () => {
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
});
