/** The level of a message; by default depmod shows errors and warnings. */
export type Level = 'error' | 'warning' | 'info';

/** Takes a message: `say('warning', 'kernel/a.ko needs unknown symbol x')`. Text without a newline, latin1. */
export type Say = (level: Level, text: string) => void;
