/** The program that a test runs in a mount namespace: `node chaos-disk.js FOLDER MOST EVERY` prints the faults as JSON. */
import { fullDisk } from './chaos.ts';

const [folder = '', most = '', every = ''] = process.argv.slice(2);
console.log(JSON.stringify(fullDisk(folder, Number(most), Number(every))));
