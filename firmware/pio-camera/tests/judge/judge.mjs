// Runs what a chip did, step by step, on rp2040js: its register writes, its pins' levels, and the
// words that DMA asks for. Prints the words that came, and the sticky flags at the end.
//
//     node judge.mjs STEPS     (in a folder where rp2040js is installed)

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const { RP2040 } = await import(pathToFileURL(require.resolve('rp2040js')));

const PIO0 = 0x50200000;
const FDEBUG = 0x008;
const RXF0 = 0x020;
const IRQ = 0x030;
/// An RP2040 has no more lines than PIO can see, so it does not choose among them.
const GPIOBASE = 0x168;
const LINES = 30;
/// A line's pad: input on.
const PADS = 0x4001c000;
const INPUT = 0x40;
/// Cycles after which a program that waits for a pin has seen it, with much to spare.
const SETTLED = 40;

const chip = new RP2040();
const pio = chip.pio[0];
for (let pin = 0; pin < LINES; pin++) chip.writeUint32(PADS + 4 + 4 * pin, INPUT);
const words = [];
let wanted = 0;
let now = 0;
let levels = 0;

function run(until) {
  for (const end = Math.min(until, now + SETTLED); now < end; now++) {
    for (const machine of pio.machines) if (machine.enabled) machine.step();
    if (wanted > 0 && !pio.machines[0].rxFIFO.empty) {
      words.push(chip.readUint32(PIO0 + RXF0) >>> 0);
      wanted--;
    }
  }
  now = until;
}

for (const line of readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
  const [cycle, what, first, second] = line.split(' ');
  run(Number(cycle));
  if (what === 'write') {
    if (Number(first) !== GPIOBASE) chip.writeUint32(PIO0 + Number(first), Number(second));
  } else if (what === 'levels') {
    const changed = levels ^ Number(first);
    levels = Number(first);
    for (let pin = 0; pin < LINES; pin++) {
      if ((changed >>> pin) & 1) chip.gpio[pin].setInputValue(((levels >>> pin) & 1) === 1);
    }
  } else if (what === 'dma') {
    wanted = Number(first);
  } else {
    throw new Error(`no step: ${line}`);
  }
}

const flags = { fdebug: chip.readUint32(PIO0 + FDEBUG), irq: chip.readUint32(PIO0 + IRQ) };
console.log(JSON.stringify({ words, ...flags }));
