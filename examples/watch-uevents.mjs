// Shows what the kernel announces, and which modules each new device asks for.
//
//     node examples/watch-uevents.mjs [COUNT]        (ends after COUNT uevents)
import { openModules, openUevents, PlugdError } from 'plugd';

const count = Number(process.argv[2] ?? Infinity);
if (!(count > 0)) {
  console.error('usage: node examples/watch-uevents.mjs [COUNT]');
  process.exit(64);
}

/** A machine without a module tree still has uevents. */
function openOrNothing() {
  try {
    return openModules();
  } catch (error) {
    if (error instanceof PlugdError && error.code === 'no-modules-directory') return undefined;
    throw error;
  }
}

const modules = openOrNothing();
let seen = 0;
const socket = await openUevents({
  uevent({ action, devpath, subsystem, modaliases }) {
    console.log(`${action} ${subsystem} ${devpath}`);
    for (const modalias of modaliases) {
      const found = action === 'add' ? modules?.lookup(modalias) : undefined;
      const names = found?.kind === 'found' ? found.candidates.map((candidate) => candidate.module) : [];
      console.log(`  ${modalias} → ${names.join(', ') || 'nothing here'}`);
    }
    if (++seen >= count) socket.close();
  },
  gap: (from, to) => console.log(`uevents ${from} to ${to} were lost`),
});
console.error('listening');
