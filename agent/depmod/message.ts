/** How the parts of depmod report. They only tell; the command prints, and shows errors and warnings unless told otherwise. */
export type Level = 'error' | 'warning' | 'info';

/** Takes a message: `say('warning', 'kernel/a.ko needs unknown symbol x')`. `text` is machine text (one character, one byte), without a newline. */
export type Say = (level: Level, text: string) => void;
