// Opens pages in Firefox, does what their reader would, and prints what the console said and what
// was asked for over the network: firefox.mjs BINARY PLAYGROUND FIGURE
import puppeteer from "puppeteer-core";

const [executablePath, playground, figure] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
const found = { version: await browser.version(), said: [], asked: [], told: [] };

async function open(url) {
  const page = await browser.newPage();
  page.on("console", (message) => found.said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => found.said.push(String(error)));
  page.on("request", (request) => found.asked.push(request.url().slice(0, 60)));
  await page.goto(url);
  return page;
}

/** The text of the figure's first such element, once it holds some words. */
async function wait(page, selector, words) {
  const read = (wanted) => {
    const inside = document.querySelector(".clipxai-figure").shadowRoot;
    return inside?.querySelector(wanted)?.textContent ?? "";
  };
  for (let tries = 0; tries < 600; tries++) {
    const text = await page.evaluate(read, selector);
    if (text.includes(words)) return found.told.push(text);
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`${selector} never said ${words}: ${await page.evaluate(read, selector)}`);
}

const play = await open(playground);
await wait(play, ".way", "upside down");
await play.locator(">>> input[aria-label='text 1']").fill("a bicycle");
await wait(play, ".status", "bicycle");

const walk = await open(figure);
await wait(walk, ".story", "Raw CLIP");
await walk.locator(">>> .step:nth-child(3)").click();
await wait(walk, ".story", "v-v attention");
await walk.locator(">>> .picture").hover();
await wait(walk, ".status", "row");

await browser.close();
console.log(JSON.stringify(found));
